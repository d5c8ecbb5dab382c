/** `entrain join`: agents or an analyzer of this machine in the service of another one, by a token that works once. */
import { join } from 'node:path';
import { environment } from '../../process/environment.ts';
import { createLog } from '../../process/log.ts';
import { makeFolder } from '../../process/make-folder.ts';
import { claimRun } from '../../process/run-folder/run-claim.ts';
import { createShutdown, endOnSignals } from '../../process/shutdown.ts';
import { writeAtomic } from '../../process/write-atomic.ts';
import type { JoinedMachine } from '../../protocol/join-messages.ts';
import { keepRunning, type Keeping } from '../start/keep-running.ts';
import { askToJoin, authorityFile, joinedService } from './ask-to-join.ts';
import {
  analyzerFiles,
  credentialsFile,
  readJoinSettings,
  type JoinAnalyzer,
  type JoinSettings,
} from './join-settings.ts';
import { UNIT, unitText } from './unit.ts';

export { FLAGS as flags, usage } from './join-settings.ts';

export async function run(argv: string[]): Promise<number> {
  const settings = readJoinSettings(argv);
  const { token, data, models, analyzer, unitFolder } = settings;
  const agents = [...models.keys()];
  const log = createLog('join');
  const shutdown = createShutdown(log);
  endOnSignals(shutdown, { supervised: environment('ENTRAIN_SUPERVISED') === '1' });
  await makeFolder(data, 0o700);
  try {
    const claim = await claimRun({ run: 'joined', folder: data, program: 'join' });
    shutdown.onStop('claim', () => claim.release());
    const joining = { agents, analyzer, data, log };
    if (token !== undefined) await askToJoin(token, joining);
    const machine = await joinedService(data, joining);
    const names = analyzer ? `analyzer ${machine.analyzer?.id}` : agents.join(', ');
    if (token !== undefined) console.log(`joined       ${machine.url}  as ${names}`);
    if (unitFolder !== undefined) return await install(settings, unitFolder);
    const logFolder = join(data, 'logs');
    await makeFolder(logFolder);
    const keeping = { logFolder, claim, shutdown, log };
    await (analyzer
      ? keepAnalyzer({ data, analyzer, machine }, keeping)
      : keepAgents(settings, machine, keeping));
    await shutdown.asked;
  } finally {
    await shutdown.stop();
  }
  return 0;
}

type Kept = Omit<Keeping, 'credentials'>;

async function keepAgents(settings: JoinSettings, { url }: JoinedMachine, keeping: Kept): Promise<void> {
  const { data, models } = settings;
  const credentials = (program: string): Record<string, string> => ({
    NATS_URL: url,
    NATS_CREDS_FILE: credentialsFile(data, program.slice('agent-'.length)),
    NATS_CA_FILE: authorityFile(data),
  });
  for (const [id, model] of models) {
    const flags = ['--id', id, '--model', model, '--tls-ca', authorityFile(data), ...settings.agentFlags];
    const places = ['--data', join(data, 'spool'), '--cache', join(data, 'models')];
    await keepRunning({ ...keeping, credentials }, `agent-${id}`, ['agent', ...flags, ...places]);
    console.log(`agent        ${id}  ${model}`);
  }
}

/** It listens on all addresses, under the one that its certificate is for. */
async function keepAnalyzer(
  { data, analyzer, machine }: { data: string; analyzer: JoinAnalyzer; machine: JoinedMachine },
  keeping: Kept,
): Promise<void> {
  const { url, analyzer: joined } = machine;
  const { id, host } = joined ?? { id: analyzer.id, host: '' };
  const files = analyzerFiles(data);
  const advertise = analyzer.advertise ?? (host.includes(':') ? `[${host}]` : host);
  const credentials = (): Record<string, string> => ({
    NATS_URL: url,
    NATS_CREDS_FILE: files.credentials,
    NATS_CA_FILE: authorityFile(data),
  });
  const served = [
    '--host',
    '0.0.0.0',
    '--advertise',
    advertise,
    '--tls-cert',
    files.cert,
    '--tls-key',
    files.key,
  ];
  const own = ['--id', id, '--runs', analyzer.runs, '--public-key', files.streamKey];
  await makeFolder(analyzer.runs);
  await keepRunning({ ...keeping, credentials }, 'analyzer', [
    'analyzer',
    ...own,
    ...served,
    ...analyzer.flags,
  ]);
  console.log(`analyzer     ${id}  ${advertise}  ${analyzer.runs}`);
}

async function install(
  { models, data, agentFlags, analyzer }: JoinSettings,
  folder: string,
): Promise<number> {
  const named = [...models].flatMap(([id, model]) => ['--model', `${id}=${model}`]);
  const { id = '', runs = '', advertise, flags = [] } = analyzer ?? {};
  const reached = advertise === undefined ? [] : ['--advertise', advertise];
  const what = analyzer
    ? ['--analyzer', '--id', id, '--runs', runs, ...reached, ...flags]
    : [...named, ...agentFlags];
  const file = join(folder, UNIT);
  if (analyzer) await makeFolder(runs);
  await writeAtomic(file, unitText([...what, '--data', data], data, analyzer?.runs), 0o644);
  console.log(
    `unit         ${file}\n\nstart it     systemctl daemon-reload && systemctl enable --now ${UNIT}`,
  );
  return 0;
}
