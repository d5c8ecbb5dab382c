/**
 * A run that cannot be read from outside: all connections use TLS, and what the programs expose at the most talkative
 * log level holds no word of the dialogue and no secret.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { AGENT_SERVICE, ANALYZER_SERVICE, COORDINATOR_SERVICE } from '../../src/protocol/subjects.ts';
import { findServices } from '../../src/transport/nats/services.ts';
import type { NatsLink } from '../../src/transport/nats/connection.ts';
import { makeCertificates, type Certificates } from '../fixtures/programs/certificates.ts';
import { until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, readTranscript, type Fleet, type Program } from '../fixtures/programs/fleet.ts';
import { hearTurns } from '../fixtures/programs/hear-turns.ts';
import { descendantsOf, processesWith } from '../fixtures/programs/processes.ts';

const RUN = 'guarded';
const STUDY = { scenarios: 3, episodes: 1, maxTurns: 12, maxTokens: 8 };
const TURNS = 3 * 2 * 12;
const PROGRAMS = ['analyzer', 'agent-ada', 'agent-ben', 'coordinator'] as const;
/** This many consecutive words do not occur in a log by chance. */
const WORDS = 4;

let folder: string;
let certificates: Certificates;
let fleet: Fleet;
let status: number | null;
let argv: string[];
let metrics: Map<string, string>;

beforeAll(async () => {
  vi.stubEnv('ENTRAIN_LOG', 'trace');
  folder = await mkdtemp(join(tmpdir(), 'entrain-guarded-'));
  const hosts = ['localhost', 'IP:127.0.0.1'];
  certificates = await makeCertificates(['nats', ...PROGRAMS].map((name) => ({ name, hosts })));
  const study = await writeSmallStudy(folder, STUDY);
  fleet = await createFleet({ folder, study, run: RUN, agents: ['ada', 'ben'], certificates });
  const spoken = await hearTurns(fleet, RUN);
  const supervisor = await fleet.nats.connect('supervisor');
  const others = PROGRAMS.filter((program) => program !== 'coordinator');
  for (const program of others) await fleet.start(program);
  const urls = await metricsUrls(supervisor, others);
  // A fast machine plays the whole run while the coordinator is looked for; without ben it does not begin.
  fleet.signal('agent-ben', 'SIGSTOP');
  await fleet.start('coordinator');
  for (const [program, url] of await metricsUrls(supervisor, ['coordinator'])) urls.set(program, url);
  fleet.signal('agent-ben', 'SIGCONT');
  await spoken(6);
  argv = commandLines();
  metrics = await readMetrics(urls);
  status = await fleet.ended('coordinator');
}, 300_000);
afterAll(async () => {
  await fleet?.close();
  vi.unstubAllEnvs();
  for (const place of [folder, certificates?.folder]) await rm(place, { recursive: true, force: true });
});

describe('a run with TLS on every connection', () => {
  it('ends, and is recorded whole', async () => {
    expect(status, fleet.said('coordinator')).toBe(0);
    const { faults, utterances } = await verifyRun(join(fleet.runs, RUN));
    expect(faults).toEqual([]);
    expect(utterances).toEqual({ total: TURNS, incomplete: [] });
  });

  it('serves the metrics of every program over https', () => {
    expect([...metrics.keys()].every((url) => url.startsWith('https://'))).toBe(true);
    expect(metrics.size).toBe(PROGRAMS.length);
    for (const text of metrics.values()) expect(text).toContain('entrain_build_info');
  });
});

describe('the search for words of the dialogue and for secrets', () => {
  it('finds both where they are', async () => {
    const secrets = await everySecret();
    const transcript = await readFile(join(fleet.runs, RUN, 'transcript.jsonl'), 'utf8');
    const key = await readFile(fleet.privateKey, 'utf8');
    for (const text of [transcript, key]) expect(foundIn(text, secrets)).not.toEqual([]);
  });

  it.each(PROGRAMS)('finds neither in the log of %s', async (program) => {
    expect(fleet.said(program)).toContain('"level":30');
    expect(foundIn(fleet.said(program), await everySecret())).toEqual([]);
  });

  it('finds neither on a command line', async () => {
    for (const program of PROGRAMS) expect(argv.join('\n')).toContain(program.replace('agent-', '--id '));
    expect(foundIn(argv.join('\n'), await everySecret())).toEqual([]);
  });

  it('finds neither on /metrics', async () => {
    expect(foundIn([...metrics.values()].join('\n'), await everySecret())).toEqual([]);
  });
});

const foundIn = (text: string, secrets: readonly string[]): string[] =>
  secrets.filter((secret) => text.includes(secret));

/**
 * Consecutive words of every text that was said or told, lines of private keys, passwords, and how a token begins.
 */
async function everySecret(): Promise<string[]> {
  const { scenarios } = JSON.parse(await readFile(join(folder, 'study.json'), 'utf8')) as {
    scenarios: { text: string; people: Record<string, string>[] }[];
  };
  const told = scenarios.flatMap(({ text, people }) => [text, ...people.flatMap(Object.values)]) as string[];
  const spoken = (await readTranscript(fleet.runs, RUN)).map(({ text }) => text);
  const keyFiles = [fleet.privateKey, ...PROGRAMS.map((name) => certificates.of(name).key)];
  const keys = await Promise.all(keyFiles.map((file) => readFile(file, 'utf8')));
  const keyLines = keys.flatMap((pem) => pem.split('\n').filter((line) => line && !line.startsWith('-')));
  const passwords = PROGRAMS.map((name) => `${name}-secret`);
  const token = Buffer.from('{"run":').toString('base64url').slice(0, -1);
  return [...[...told, ...spoken].flatMap(wordsInARow), ...keyLines, ...passwords, token, 'Bearer'];
}

function wordsInARow(text: string): string[] {
  const words = text.split(' ');
  if (words.length < WORDS) return [];
  return words.slice(WORDS - 1).map((_, start) => words.slice(start, start + WORDS).join(' '));
}

function commandLines(): string[] {
  const roots = PROGRAMS.map((program) => fleet.pid(program));
  const pids = new Set(roots.flatMap((pid) => [pid, ...descendantsOf(pid)]));
  return processesWith('')
    .filter(({ pid }) => pids.has(pid))
    .map(({ command }) => command);
}

/** Addresses of the programs' metrics, by program, once those that are wanted have announced themselves. */
async function metricsUrls(link: NatsLink, wanted: readonly Program[]): Promise<Map<Program, string>> {
  const urls = new Map<Program, string>();
  await until(
    'every program to announce itself',
    async () => {
      const look = async (service: string): Promise<void> => {
        for (const { metadata } of await findServices(link, service))
          urls.set(programOf(service, metadata), metadata['metricsUrl'] ?? '');
      };
      await Promise.all([ANALYZER_SERVICE, COORDINATOR_SERVICE, AGENT_SERVICE].map(look));
      return wanted.every((program) => urls.has(program));
    },
    60_000,
  );
  return urls;
}

function programOf(service: string, metadata: Record<string, string>): Program {
  if (service === AGENT_SERVICE) return `agent-${metadata['agent'] ?? ''}`;
  return service === ANALYZER_SERVICE ? 'analyzer' : 'coordinator';
}

/** Reads every program's metrics while the other agent is paused: a run cannot end before it goes on. */
async function readMetrics(urls: ReadonlyMap<Program, string>): Promise<Map<string, string>> {
  const ca = await readFile(certificates.ca, 'utf8');
  const texts = new Map<string, string>();
  for (const [program, url] of urls) {
    const paused = program === 'agent-ben' ? 'agent-ada' : 'agent-ben';
    fleet.signal(paused, 'SIGSTOP');
    try {
      texts.set(url, await read(url, ca));
    } finally {
      fleet.signal(paused, 'SIGCONT');
    }
  }
  return texts;
}

function read(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { ca }, (answer) => {
      let text = '';
      answer.on('data', (part: Buffer) => (text += part.toString()));
      answer.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}
