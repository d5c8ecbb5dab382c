/**
 * Starts the processes of a study in the order of their dependencies, with one line on the terminal for each.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../../process/make-folder.ts';
import { announcedModel, type AgentModel } from '../../protocol/agent-model.ts';
import type { Disk } from '../../protocol/nats-messages.ts';
import { expectedOfStudy, gigabytes, TOKENS_PER_S, type Expected } from '../../protocol/recording-size.ts';
import type { Study } from '../../protocol/study.ts';
import { AGENT_SERVICE, ANALYZER_SERVICE, COORDINATOR_SERVICE } from '../../protocol/subjects.ts';
import { createLog } from '../../process/log.ts';
import type { RunClaim } from '../../process/run-folder/run-claim.ts';
import { putTargets } from '../../process/run-folder/targets-file.ts';
import type { Shutdown } from '../../process/shutdown.ts';
import { readHttpToken } from '../../transport/http/access.ts';
import { askDisk } from '../../transport/nats/ask-disk.ts';
import { findServices, type ServiceRecord } from '../../transport/nats/services.ts';
import { connectNats, type NatsLink, type NatsOptions } from '../../transport/nats/connection.ts';
import { childFault, startChild, type Child, type ChildEnd } from './child-processes.ts';
import { writeKeys, type KeyFiles } from '../keys.ts';
import { startTalk } from './broker.ts';
import type { StartSettings } from './start-settings.ts';
import { writeTargets } from './prometheus-targets.ts';
import { VIEWER, viewerArguments, viewerLine } from './viewer-process.ts';
import type { AnalyzerPlace } from '../terminal/watch-run.ts';

/** The compiled `entrain` command. */
const COMMAND = fileURLToPath(new URL('../entrain.js', import.meta.url));

export interface FleetProcesses {
  nats: NatsOptions;
  analyzer: AnalyzerPlace;
  logFolder: string;
  startCoordinator(): Promise<void>;
  /** Settles with the first program that ended unasked and before its work was done. */
  firstEnd(): Promise<ChildEnd>;
}

interface Starting {
  settings: StartSettings;
  logFolder: string;
  claim: RunClaim;
  keys: KeyFiles;
  credentials(user: string): Record<string, string>;
  link: NatsLink;
  children: Child[];
  say(text: string): void;
}

const READY_MS = 120_000;

export async function startFleet(
  settings: StartSettings,
  to: { shutdown: Shutdown; claim: RunClaim; say(text: string): void },
): Promise<FleetProcesses> {
  const { shutdown, claim, say } = to;
  const { logFolder, secretsFolder } = await makeFolders(settings.folder);
  const children: Child[] = [];
  // Passwords and keys are of no use after the programs that knew them have ended.
  shutdown.onStop('secrets', () => rm(secretsFolder, { recursive: true, force: true }));
  // One after another, the last started first: the coordinator before its agents, nats-server last.
  shutdown.onStop('programs', async () => stopInGroups(children));
  const keys = await writeKeys(secretsFolder);
  const talk = await startTalk(settings, { logFolder, secretsFolder, children, claim, say });
  const link = await connectNats({
    ...talk.own,
    name: 'entrain supervisor starting',
    log: createLog('supervisor'),
  });
  shutdown.onStop('starting link', () => link.close());
  const starting: Starting = {
    settings,
    logFolder,
    claim,
    keys,
    credentials: talk.credentials,
    link,
    children,
    say,
  };
  await startViewer(starting);
  const { url, id } = await startAnalyzer(starting);
  const analyzer = { url, token: await readHttpToken(settings.httpTokenFile) };
  const models = await startAgents(starting);
  say(diskLine(settings.study, models, await askDisk(link, id)));
  const startCoordinator = async (): Promise<void> => {
    await launchCoordinator(starting);
    shutdown.onStop('targets', () => putTargets(settings.folder, []));
    await writeTargets(link, settings.folder);
    await link.close();
  };
  return { nats: talk.own, analyzer, logFolder, startCoordinator, firstEnd: () => firstEnd(children) };
}

async function makeFolders(run: string): Promise<{ logFolder: string; secretsFolder: string }> {
  const logFolder = join(run, 'logs');
  const secretsFolder = join(run, 'secrets');
  await makeFolder(logFolder);
  // Left by an earlier supervisor that was killed; under the claim no other program needs it.
  await rm(secretsFolder, { recursive: true, force: true });
  await mkdir(secretsFolder, { mode: 0o700 });
  return { logFolder, secretsFolder };
}

/** Its address is what a newcomer opens. */
async function startViewer(starting: Starting): Promise<void> {
  const { settings, logFolder, say } = starting;
  const viewer = await launch(starting, { name: VIEWER, user: VIEWER, argv: viewerArguments(settings) });
  say(await viewerLine(viewer, logFolder));
}

async function startAnalyzer(starting: Starting): Promise<{ url: string; id: string }> {
  const { settings, keys, say } = starting;
  const { host, advertise, port, runs, httpTokenFile, stepMeasures, budgetGb, maxRunGb } = settings;
  const argv = [
    'analyzer',
    '--host',
    host,
    '--port',
    String(port),
    '--runs',
    runs,
    '--public-key',
    keys.publicKey,
    ...(advertise === undefined ? [] : ['--advertise', advertise]),
    ...(httpTokenFile === undefined ? [] : ['--http-token-file', httpTokenFile]),
    ...(stepMeasures === undefined ? [] : ['--step-measures', stepMeasures]),
    ...(budgetGb === undefined ? [] : ['--budget-gb', budgetGb]),
    ...(maxRunGb === undefined ? [] : ['--max-run-gb', maxRunGb]),
  ];
  await launch(starting, { name: 'analyzer', user: 'analyzer', argv });
  const record = await awaitService(starting, {
    service: ANALYZER_SERVICE,
    child: 'analyzer',
    matches: () => true,
  });
  const { httpUrl: url = '', id = '' } = record.metadata;
  say(`analyzer     ${url}/metrics  Prometheus\n             ${url}/api/scores  figures as JSON`);
  return { url, id };
}

async function startAgents(starting: Starting): Promise<Map<string, AgentModel>> {
  const { settings, say } = starting;
  const { models, provider, threads, atOnce, cacheMb, folder, sentenceEncoder } = settings;
  for (const [id, model] of models) {
    const argv = [
      'agent',
      '--id',
      id,
      '--model',
      model,
      '--provider',
      provider,
      '--threads',
      String(threads),
      ...(atOnce === undefined ? [] : ['--at-once', String(atOnce)]),
      ...(cacheMb === undefined ? [] : ['--cache-mb', String(cacheMb)]),
      ...(sentenceEncoder ? ['--sentence-encoder', sentenceEncoder] : []),
    ];
    const data = ['--data', join(folder, 'spool'), '--cache', resolve('.cache', 'models')];
    await launch(starting, { name: `agent-${id}`, user: `agent-${id}`, argv: [...argv, ...data] });
  }
  const announced = new Map<string, AgentModel>();
  for (const id of models.keys()) {
    const matches = ({ metadata }: ServiceRecord): boolean => metadata['agent'] === id;
    const record = await awaitService(starting, { service: AGENT_SERVICE, child: `agent-${id}`, matches });
    const { metadata } = record;
    announced.set(id, announcedModel(metadata));
    say(
      `agent        ${id}  ${metadata['model']}  ${metadata['layers']} layers × ${metadata['dims']} dims  on ${metadata['provider']}`,
    );
  }
  return announced;
}

async function launchCoordinator(starting: Starting): Promise<void> {
  const { settings, keys, say } = starting;
  const { run, runs, studyFile, seed, study } = settings;
  const argv = [
    'coordinator',
    '--run',
    run,
    '--runs',
    runs,
    '--study',
    studyFile,
    '--seed',
    String(seed),
    '--private-key',
    keys.privateKey,
    '--grace-seconds',
    String(settings.graceSeconds),
    ...(settings.anySize ? ['--any-size'] : []),
  ];
  await launch(starting, { name: 'coordinator', user: 'coordinator', argv });
  await awaitService(starting, {
    service: COORDINATOR_SERVICE,
    child: 'coordinator',
    matches: ({ metadata }) => metadata['run'] === run,
  });
  say(`coordinator  run ${run}: ${study.scenarios.length} scenarios, ${study.conditions.join(' and ')}`);
}

async function launch(
  starting: Starting,
  program: { name: string; user: string; argv: string[] },
): Promise<Child> {
  const { logFolder, claim, credentials, children } = starting;
  const { name, user } = program;
  const argv = [COMMAND, ...program.argv];
  const child = await startChild({ name, argv, environment: credentials(user), logFolder, claim });
  children.push(child);
  return child;
}

/** Waits until a program has announced itself. If it ends first, its reason is thrown. */
async function awaitService(
  starting: Starting,
  wanted: { service: string; child: string; matches(record: ServiceRecord): boolean },
): Promise<ServiceRecord> {
  const { link, children, logFolder } = starting;
  const ended = firstEnd(children).then(async (end) => {
    throw await childFault(end, logFolder);
  });
  const found = (async () => {
    for (let waitedMs = 0; waitedMs < READY_MS; waitedMs += 200) {
      const record = (await findServices(link, wanted.service, 200)).find(wanted.matches);
      if (record) return record;
    }
    throw new Error(`${wanted.child} was not ready within ${READY_MS / 1000} s; its log is in ${logFolder}`);
  })();
  return Promise.race([found, ended]);
}

function firstEnd(children: Child[]): Promise<ChildEnd> {
  const needed = children.filter(({ name }) => name !== VIEWER);
  return Promise.race(
    needed.map(({ ended }) => ended.then((end) => (end.asked ? new Promise<never>(() => undefined) : end))),
  );
}

async function stopInGroups(children: Child[]): Promise<void> {
  const named = (test: RegExp): Child[] => children.filter(({ name }) => test.test(name));
  for (const group of [/^viewer$/, /^coordinator$/, /^agent-/, /^analyzer$/, /^nats-server$/]) {
    await Promise.all(named(group).map((child) => child.stop()));
  }
}

/** Disk space that the run may take, and how long the free space lasts. */
function diskLine(study: Study, models: ReadonlyMap<string, AgentModel>, disk: Disk): string {
  const { studyBytes, hourBytes }: Expected = expectedOfStudy(study, models);
  const roomBytes = Math.min(disk.freeBytes, disk.maxRunBytes);
  const hours = (roomBytes / hourBytes).toPrecision(2);
  return `disk         this study takes ${gigabytes(studyBytes)} at most; room for ${gigabytes(roomBytes)}, ${Number(hours)} hours at ${TOKENS_PER_S} tokens/s`;
}
