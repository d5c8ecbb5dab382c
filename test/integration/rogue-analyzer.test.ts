/**
 * A rogue program at the analyzer's own address, with a certificate that the authority of the fleet signed for an
 * agent: the agents take it for no analyzer, since its certificate is not the one that the coordinator named.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { encodeMessage } from '../../src/protocol/stream/codec.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { makeCertificates, type Certificates } from '../fixtures/programs/certificates.ts';
import { until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, readTranscript, type Fleet } from '../fixtures/programs/fleet.ts';
import { freePort } from '../fixtures/programs/free-port.ts';

const RUN = 'rogue';
const STUDY = { scenarios: 1, episodes: 3, maxTurns: 8, maxTokens: 12 };
const TURNS = 3 * 2 * 8;
const AGENTS = ['agent-ada', 'agent-ben'] as const;

let folder: string;
let certificates: Certificates;
let fleet: Fleet;
let port: number;
let rogue: Rogue;
let status: number | null;

interface Rogue {
  /** The tokens that were shown to it. */
  tokens: string[];
  visits: number;
  close(): Promise<void>;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-rogue-'));
  const hosts = ['localhost', 'IP:127.0.0.1'];
  const names = ['nats', 'coordinator', 'analyzer', 'analyzer-renewed', ...AGENTS];
  certificates = await makeCertificates(names.map((name) => ({ name, hosts })));
  const study = await writeSmallStudy(folder, STUDY);
  fleet = await createFleet({ folder, study, run: RUN, agents: ['ada', 'ben'], certificates });
  port = await freePort();
  await fleet.start('analyzer', ['--port', String(port)]);
  for (const program of [...AGENTS, 'coordinator'] as const) await fleet.start(program);
  await until('some turns', async () => (await readTranscript(fleet.runs, RUN)).length >= 4, 120_000);
  await fleet.kill('analyzer');
  rogue = await poseAtAddress('agent-ben');
  await until('connections of both agents', () => refusals('ada') > 0 && refusals('ben') > 0, 30_000).catch(
    () => undefined,
  );
  await rogue.close();
  const { cert, key } = certificates.of('analyzer-renewed');
  await fleet.start('analyzer', ['--port', String(port), '--tls-cert', cert, '--tls-key', key]);
  status = await fleet.ended('coordinator');
}, 300_000);
afterAll(async () => {
  await fleet?.close();
  for (const place of [folder, certificates?.folder]) await rm(place, { recursive: true, force: true });
});

const refusals = (agent: string): number =>
  fleet.said(`agent-${agent}`).split('ANALYZER_UNTRUSTED').length - 1;

/** Takes whatever comes, as an analyzer does. */
async function poseAtAddress(name: string): Promise<Rogue> {
  const { cert, key } = certificates.of(name);
  const [certPem, keyPem] = await Promise.all([readFile(cert, 'utf8'), readFile(key, 'utf8')]);
  const server = createServer({ cert: certPem, key: keyPem });
  const sockets = new WebSocketServer({ server });
  const seen: Rogue = { tokens: [], visits: 0, close: async () => undefined };
  server.on('connection', () => (seen.visits += 1));
  sockets.on('connection', (socket, request) => {
    seen.tokens.push(request.headers.authorization ?? 'none');
    socket.on('message', () =>
      socket.send(
        encodeMessage({ type: 'welcome', hello: 1, lastEpoch: 0, durableSeq: -1, credits: 2 ** 23 }),
      ),
    );
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  seen.close = async () => {
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return seen;
}

describe(
  'a rogue with the certificate of an agent at the address of the analyzer',
  { timeout: 60_000 },
  () => {
    it('is met by the agents, and is shown no token', () => {
      expect(rogue.tokens).toEqual([]);
      expect(rogue.visits).toBeGreaterThan(0);
    });

    it.each(['ada', 'ben'])('is refused by name in the log of agent %s', (agent) => {
      expect(refusals(agent)).toBeGreaterThan(0);
      expect(fleet.said(`agent-${agent}`)).toContain('another certificate than the coordinator named');
    });

    it('costs the run nothing: agents accept the real analyzer again, also with a renewed certificate', async () => {
      expect(status, fleet.said('coordinator')).toBe(0);
      const { faults, utterances } = await verifyRun(join(fleet.runs, RUN));
      expect({ faults, utterances }).toEqual({ faults: [], utterances: { total: TURNS, incomplete: [] } });
    });
  },
);
