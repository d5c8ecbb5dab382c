/**
 * `entrain serve`: the programs of all runs on this machine. Each is started again when it ends; what they must not
 * forget, passwords and keys among it, stands in the folder `.service` below the runs.
 */
import { access, mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment } from '../../process/environment.ts';
import { createLog, type Logger } from '../../process/log.ts';
import { makeFolder } from '../../process/make-folder.ts';
import { claimRun, type RunClaim } from '../../process/run-folder/run-claim.ts';
import { createShutdown, endOnSignals, type Shutdown } from '../../process/shutdown.ts';
import { writeAtomic } from '../../process/write-atomic.ts';
import { writeKeys, type KeyFiles } from '../keys.ts';
import { ANY_RUN } from '../nats/nats-permissions.ts';
import { startPrivateNats, type PrivateNats } from '../nats/private-nats.ts';
import { ADDRESS_FILE } from '../service/ask-service.ts';
import { childFault, startChild, type Child } from '../start/child-processes.ts';
import { viewerLine } from '../start/viewer-process.ts';
import { readServeSettings, type ServeSettings } from './serve-settings.ts';

export { FLAGS as flags, usage } from './serve-settings.ts';

/** The compiled `entrain` command. */
const COMMAND = fileURLToPath(new URL('../entrain.js', import.meta.url));
/** A program that ends again and again is started more and more seldom. */
const AGAIN_MS = { least: 1000, most: 30_000 } as const;

export async function run(argv: string[]): Promise<number> {
  const settings = await readServeSettings(argv);
  const log = createLog('serve');
  const shutdown = createShutdown(log);
  endOnSignals(shutdown, { supervised: environment('ENTRAIN_SUPERVISED') === '1' });
  try {
    const nats = await startService(settings, { shutdown, log });
    const end = await Promise.race([nats.child.ended, shutdown.asked]);
    if (end && !shutdown.isAsked()) throw await childFault(end, join(settings.folder, 'logs'));
    return 0;
  } finally {
    await shutdown.stop();
  }
}

async function startService(
  settings: ServeSettings,
  { shutdown, log }: { shutdown: Shutdown; log: Logger },
): Promise<PrivateNats> {
  const { folder, agents, submitters, runs } = settings;
  const claim = await claimRun({ run: 'service', folder, program: 'serve' });
  shutdown.onStop('claim', () => claim.release());
  const [logFolder, secretsFolder, portsFolder] = ['logs', 'secrets', 'ports'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  await makeFolder(logFolder);
  await makeFolder(secretsFolder, 0o700);
  await rm(portsFolder, { recursive: true, force: true });
  await mkdir(portsFolder, { mode: 0o700 });
  const keys = await keepKeys(join(secretsFolder, 'stream'));
  const users = ['coordinator', 'analyzer', 'viewer', 'operator'];
  users.push(
    ...[...agents.keys()].map((id) => `agent-${id}`),
    ...submitters.map((name) => `submitter-${name}`),
  );
  const storeFolder = join(folder, 'nats');
  const nats = await startPrivateNats({
    secretsFolder,
    storeFolder,
    portsFolder,
    logFolder,
    users,
    runs: [ANY_RUN],
    claim,
  });
  shutdown.onStop('nats-server', () => nats.child.stop());
  await writeAtomic(join(folder, ADDRESS_FILE), `${nats.url}\n`);
  shutdown.onStop('address', () => rm(join(folder, ADDRESS_FILE), { force: true }));
  console.log(`nats-server  ${nats.url}  (private, JetStream)`);
  await startPrograms(settings, { nats, keys, logFolder, claim, shutdown, log });
  sayHow(settings, { secretsFolder, url: nats.url, runs });
  return nats;
}

/** The keys of an earlier life sign what waits in the spools of agents. */
async function keepKeys(folder: string): Promise<KeyFiles> {
  const files = {
    privateKey: join(folder, 'stream-private.pem'),
    publicKey: join(folder, 'stream-public.pem'),
  };
  const isThere = await access(files.privateKey).then(
    () => true,
    () => false,
  );
  return isThere ? files : writeKeys(folder);
}

interface Starting {
  nats: PrivateNats;
  keys: KeyFiles;
  logFolder: string;
  claim: RunClaim;
  shutdown: Shutdown;
  log: Logger;
}

async function startPrograms(settings: ServeSettings, to: Starting): Promise<void> {
  const { runs, agents, agentFlags, analyzerFlags, viewerFlags, graceSeconds, folder } = settings;
  const { keys, logFolder } = to;
  await keepRunning(to, 'analyzer', [
    'analyzer',
    '--runs',
    runs,
    '--public-key',
    keys.publicKey,
    ...analyzerFlags,
  ]);
  const coordinator = ['coordinator', '--runs', runs, '--private-key', keys.privateKey];
  await keepRunning(to, 'coordinator', [...coordinator, '--grace-seconds', String(graceSeconds)]);
  const viewer = await keepRunning(to, 'viewer', ['view', '--live', '--runs', runs, ...viewerFlags]);
  for (const [id, model] of agents) {
    const data = ['--data', join(folder, 'spool'), '--cache', resolve('.cache', 'models')];
    await keepRunning(to, `agent-${id}`, ['agent', '--id', id, '--model', model, ...agentFlags, ...data]);
    console.log(`agent        ${id}  ${model}`);
  }
  console.log(await viewerLine(viewer, logFolder));
}

/** Starts a program under its own user, and again whenever it ends unasked. @returns its first life */
async function keepRunning(to: Starting, name: string, argv: string[]): Promise<Child> {
  const { nats, logFolder, claim, shutdown, log } = to;
  const start = (): Promise<Child> =>
    startChild({ name, argv: [COMMAND, ...argv], environment: nats.credentials(name), logFolder, claim });
  const first = await start();
  let current = first;
  const stopping = new AbortController();
  const again = async (waitMs: number): Promise<void> => {
    const end = await current.ended;
    if (end.asked || stopping.signal.aborted) return;
    log.error(
      { program: name, reason: (await childFault(end, logFolder)).message },
      'program ended; starting it again',
    );
    await new Promise((done) => setTimeout(done, waitMs));
    if (stopping.signal.aborted) return;
    current = await start();
    await again(Math.min(2 * waitMs, AGAIN_MS.most));
  };
  again(AGAIN_MS.least).catch((error: unknown) => {
    log.fatal({ err: error, program: name }, 'program cannot be started again');
    void shutdown.stop();
  });
  shutdown.onStop(name, async () => {
    stopping.abort();
    await current.stop();
  });
  return first;
}

function sayHow(
  { submitters, agents }: ServeSettings,
  { secretsFolder, url, runs }: { secretsFolder: string; url: string; runs: string },
): void {
  if (agents.size === 0)
    console.log(
      'note         no agent runs here: --agent ID starts one; studies wait until those that they name are there',
    );
  const here = runs === resolve('runs') ? '' : ` --runs ${runs}`;
  console.log(
    `\nhand it a study   entrain submit STUDY${here}\nsee what it does  entrain runs${here}, entrain fleet${here}`,
  );
  for (const name of submitters)
    console.log(
      `as ${name}  NATS_URL=${url} NATS_USER=submitter-${name} NATS_PASSWORD_FILE=${join(secretsFolder, `submitter-${name}.password`)}`,
    );
}
