/**
 * The programs of a study, each started alone by its own command as on different machines, so that a test can kill any of
 * them at any point and start it again.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeKeys } from '../src/cli/keys.ts';
import type { Utterance } from '../src/protocol/control.ts';
import type { Certificates } from './certificates.ts';
import { testModel } from './demo.ts';
import { startNats, type NatsFixture } from './nats-fixture.ts';

export interface Fleet {
  nats: NatsFixture;
  runs: string;
  /** File of the key that signs stream tokens. */
  privateKey: string;
  /** Starts a program (again), with further flags for this life. Settles when it is running, not when it is ready. */
  start(program: Program, flags?: readonly string[]): Promise<void>;
  /** SIGSTOP or SIGCONT: it stands still, or goes on. */
  signal(program: Program, signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** SIGKILL; settles when it is gone. */
  kill(program: Program): Promise<void>;
  /** Process id of the program's present life. */
  pid(program: Program): number;
  /** Settles with the exit status of the program's present life. */
  ended(program: Program): Promise<number | null>;
  /** What the program said on standard error, over all its lives. */
  said(program: Program): string;
  close(): Promise<void>;
}

export type Program = 'coordinator' | 'analyzer' | `agent-${string}`;

export interface FleetOptions {
  folder: string;
  study: string;
  run: string;
  agents: string[];
  /** Model folders of agents that do not have the usual one. */
  models?: Record<string, string>;
  /** Further flags of the coordinator. */
  coordinatorFlags?: string[];
  /** Then everything is spoken over TLS. */
  certificates?: Certificates;
}

interface Life {
  child: ChildProcess;
  ended: Promise<number | null>;
}

export async function createFleet(options: FleetOptions): Promise<Fleet> {
  const { folder, agents, certificates } = options;
  const runs = join(folder, 'runs');
  await mkdir(runs, { recursive: true });
  const keys = await writeKeys(await mkdtemp(join(folder, 'keys-')));
  const users = ['coordinator', 'analyzer', 'supervisor', ...agents.map((agent) => `agent-${agent}`)];
  const nats = await startNats(users, { runs: [options.run], certificates });
  const lives = new Map<Program, Life>();
  const texts = new Map<Program, string>();
  const argvOf = (program: Program): string[] => [
    ...commandLine(program, { ...options, runs, ...keys }),
    ...(certificates ? tlsFlags(program, certificates) : []),
  ];
  const kill = async (program: Program): Promise<void> => {
    const life = lives.get(program);
    life?.child.kill('SIGKILL');
    await life?.ended;
  };
  return {
    nats,
    runs,
    privateKey: keys.privateKey,
    start: async (program, flags = []) => {
      const env = {
        ...process.env,
        NATS_URL: nats.url,
        NATS_USER: program,
        NATS_PASSWORD: `${program}-secret`,
        ...(certificates ? { NATS_CA_FILE: certificates.ca } : {}),
      };
      const child = spawn(process.execPath, ['bin/entrain.js', ...argvOf(program), ...flags], {
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      child.stderr.on('data', (part: Buffer) =>
        texts.set(program, (texts.get(program) ?? '') + part.toString()),
      );
      lives.set(program, { child, ended: new Promise((resolve) => child.once('exit', resolve)) });
    },
    signal: (program, signal) => void lives.get(program)?.child.kill(signal),
    kill,
    pid: (program) => lives.get(program)?.child.pid ?? 0,
    ended: (program) => lives.get(program)?.ended ?? Promise.resolve(null),
    said: (program) => texts.get(program) ?? '',
    close: async () => {
      await Promise.all([...lives.keys()].map(kill));
      await nats.close();
    },
  };
}

function tlsFlags(program: Program, certificates: Certificates): string[] {
  const { cert, key } = certificates.of(program);
  const believes = program.startsWith('agent-') ? ['--tls-ca', certificates.ca] : [];
  return ['--tls-cert', cert, '--tls-key', key, ...believes];
}

function commandLine(
  program: Program,
  of: FleetOptions & { runs: string; privateKey: string; publicKey: string },
): string[] {
  const { runs, run, study, folder } = of;
  if (program === 'coordinator') {
    return [
      'coordinator',
      '--once',
      '--run',
      run,
      '--runs',
      runs,
      '--study',
      study,
      '--private-key',
      of.privateKey,
      ...(of.coordinatorFlags ?? []),
    ];
  }
  if (program === 'analyzer')
    return ['analyzer', '--port', '0', '--runs', runs, '--public-key', of.publicKey];
  const id = program.slice('agent-'.length);
  return [
    'agent',
    '--id',
    id,
    '--model',
    of.models?.[id] ?? testModel,
    '--data',
    join(folder, 'spool'),
    '--cache',
    join(folder, 'cache'),
  ];
}

/** The utterances of a run as the coordinator wrote them, by episode and turn; an empty list before it has begun. */
export async function readTranscript(runs: string, run: string): Promise<Utterance[]> {
  const text = await readFile(join(runs, run, 'transcript.jsonl'), 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line.endsWith('}'));
  return lines
    .map((line) => JSON.parse(line) as Utterance)
    .toSorted((a, b) => a.episode.localeCompare(b.episode) || a.turn - b.turn);
}
