/**
 * `entrain serve`: the programs of all runs on this machine. Each is started again when it ends; what they must not
 * forget, passwords and keys among it, stands in the folder `.service` below the runs.
 */
import { access, mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { environment } from '../../process/environment.ts';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { tokenAnswerSchema } from '../../protocol/join-messages.ts';
import { createLog, type Logger } from '../../process/log.ts';
import { makeFolder } from '../../process/make-folder.ts';
import { claimRun, type RunClaim } from '../../process/run-folder/run-claim.ts';
import { createShutdown, endOnSignals, type Shutdown } from '../../process/shutdown.ts';
import { writeAtomic } from '../../process/write-atomic.ts';
import { writeKeys, type KeyFiles } from '../keys.ts';
import { ADDRESS_FILE, withService } from '../service/ask-service.ts';
import { childFault } from '../start/child-processes.ts';
import { keepRunning, type Keeping } from '../start/keep-running.ts';
import { viewerLine } from '../start/viewer-process.ts';
import { readServeSettings, type ServeSettings } from './serve-settings.ts';
import { bracketed, startServiceNats, type ServiceNats } from './service-nats.ts';

export { FLAGS as flags, usage } from './serve-settings.ts';

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
): Promise<ServiceNats> {
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
  const { listen, natsPort: port } = settings;
  const places = { secretsFolder, storeFolder, portsFolder, logFolder };
  const nats = await startServiceNats({ ...places, users, listen, port, claim });
  shutdown.onStop('nats-server', () => nats.child.stop());
  await writeAtomic(join(folder, ADDRESS_FILE), `${nats.url}\n`);
  shutdown.onStop('address', () => rm(join(folder, ADDRESS_FILE), { force: true }));
  console.log(`nats-server  ${nats.publicUrl}  (TLS, JetStream)`);
  await startPrograms(settings, { nats, keys, logFolder, claim, shutdown, log });
  sayHow(settings, { nats, runs });
  if (listen !== undefined) await sayHowToJoin(runs);
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
  nats: ServiceNats;
  keys: KeyFiles;
  logFolder: string;
  claim: RunClaim;
  shutdown: Shutdown;
  log: Logger;
}

async function startPrograms(settings: ServeSettings, to: Starting): Promise<void> {
  const { runs, analyzerFlags, viewerFlags, graceSeconds, listen, coordinatorPort } = settings;
  const { keys, logFolder, nats } = to;
  const keeping = { ...to, credentials: (user: string) => credentialsOf(nats, user) };
  const certificate = ['--tls-cert', nats.tls.cert, '--tls-key', nats.tls.key];
  const open =
    listen === undefined ? [] : ['--host', '0.0.0.0', ...certificate, '--advertise', bracketed(listen)];
  await keepRunning(keeping, 'analyzer', [
    'analyzer',
    '--runs',
    runs,
    '--public-key',
    keys.publicKey,
    ...open,
    ...analyzerFlags,
  ]);
  const coordinator = ['coordinator', '--runs', runs, '--private-key', keys.privateKey];
  coordinator.push('--join-keys', nats.joinKeys, ...open, '--port', String(coordinatorPort));
  coordinator.push(...settings.coordinatorFlags);
  await keepRunning(keeping, 'coordinator', [...coordinator, '--grace-seconds', String(graceSeconds)]);
  const viewer = await keepRunning(keeping, 'viewer', ['view', '--live', '--runs', runs, ...viewerFlags]);
  await startAgents(settings, keeping, ['--tls-ca', nats.authorityFile, ...open]);
  console.log(await viewerLine(viewer, logFolder));
}

async function startAgents(
  { agents, agentFlags, folder }: ServeSettings,
  keeping: Keeping,
  tls: string[],
): Promise<void> {
  const places = ['--data', join(folder, 'spool'), '--cache', resolve('.cache', 'models')];
  for (const [id, model] of agents) {
    const own = ['--id', id, '--model', model];
    await keepRunning(keeping, `agent-${id}`, ['agent', ...own, ...agentFlags, ...places, ...tls]);
    console.log(`agent        ${id}  ${model}`);
  }
}

/** The viewer reads the figures of an analyzer that serves with a certificate of this authority. */
const credentialsOf = (nats: ServiceNats, user: string): Record<string, string> => ({
  ...nats.credentials(user),
  NODE_EXTRA_CA_CERTS: nats.authorityFile,
});

async function sayHowToJoin(runs: string): Promise<void> {
  const answer = await withService(runs, (service) => service.ask('token', {}));
  const { token } = parseMessage(tokenAnswerSchema, answer, { code: 'MESSAGE_INVALID', what: 'The token' });
  console.log(
    `\nlet a machine in, once, within 15 minutes ("entrain token" makes another word)\n  entrain join ${token} --model DIR`,
  );
}

function sayHow(
  { submitters, agents, listen, coordinatorPort }: ServeSettings,
  { nats, runs }: { nats: ServiceNats; runs: string },
): void {
  if (agents.size === 0)
    console.log(
      'note         no agent runs here: --agent ID starts one; studies wait until those that they name are there',
    );
  const here = runs === resolve('runs') ? '' : ` --runs ${runs}`;
  console.log(
    `\nhand it a study   entrain submit STUDY${here}\nsee what it does  entrain runs${here}, entrain fleet${here}`,
  );
  for (const name of submitters) {
    const variables = { ...nats.credentials(`submitter-${name}`), NATS_URL: nats.publicUrl };
    const words = Object.entries(variables).map(([variable, value]) => `${variable}=${value}`);
    console.log(`as ${name}  ${words.join(' ')}`);
  }
  if (listen !== undefined && coordinatorPort !== 0)
    console.log(`for Prometheus    https://${bracketed(listen)}:${coordinatorPort}/api/targets`);
  if (listen === undefined)
    console.log('other machines    --listen NAME, the name under which they reach this one, lets them join');
}
