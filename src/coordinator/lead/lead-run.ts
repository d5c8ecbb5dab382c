/** Leads one run from its beginning, or from where it stopped, to its end. */
import { join } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';
import { hopelessStudy } from '../../protocol/minimums.ts';
import type { RunFacts } from '../../protocol/nats-messages.ts';
import { agentsOf, missingLayer, type Study } from '../../protocol/study.ts';
import { systemClock as clock } from '../../process/clock.ts';
import { readRunFile } from '../../process/run-folder/run-file.ts';
import { checkDisk, tellFinished } from '../check-disk.ts';
import { checkPrompts } from '../check-prompt-lengths.ts';
import { awaitFleet, type Fleet } from '../fleet.ts';
import { awaitDrained, inviteAll, openRunStream, releaseAgents, type InviteOptions } from '../invite.ts';
import { addAbsent, recallNeeded } from '../restore-run.ts';
import { countSpoken, openRunFolder, writeRunFile } from '../run-folder.ts';
import { countEpisodes, countTurns } from '../state/decide.ts';
import { runStudy, type RunningStudy } from '../run-study.ts';
import { requireItsStream, requireSameRun } from '../same-run.ts';
import { watchTurns } from '../stalls.ts';
import type { FleetWatch } from '../watch-fleet.ts';
import type { LeadParts } from './lead-parts.ts';
import { recordBy, recorderInMemory } from './record-by.ts';
import { watchRunFleet } from './watch-run-fleet.ts';

/** Long enough for a restart of the analyzer. */
const DRAIN_MS = 120_000;

/** How long an ending coordinator waits for the agents, which first send their last frames. */
const RELEASE_MS = 4000;

/** Finds the agents and the analyzer of a run that may be begun or continued. */
async function findFleet(parts: LeadParts) {
  const { settings, link, pool, consumer, log } = parts;
  const { run, study, runs, waitMs } = settings;
  const begun = parts.facts?.known ?? (await readRunFile(join(runs, run)));
  const before = begun && (await openRunStream(link, run));
  const needed = before ? await recallNeeded(link, { run, study, consumer, log }) : agentsOf(study);
  const recorder = parts.recorder?.known;
  if (recorder) pool.recordedBy(recorder.analyzer);
  const fleet = await awaitFleet(pool, needed, { timeoutMs: waitMs, clock });
  // One that is away keeps the run until it has been away for the grace period.
  if (recorder && fleet.analyzer.id !== recorder.analyzer)
    fleet.analyzer = { ...recorder, id: recorder.analyzer };
  const agents = new Set([...agentsOf(study), ...needed]);
  if (pool.isShared) keepOnly(fleet, agents);
  if (begun) requireSameRun(begun, { study, fleet, agents });
  else await checkRoom(parts, fleet);
  requireItsStream(run, {
    stored: before ?? (await openRunStream(link, run)),
    spoken: await countSpoken(runs, run),
  });
  if (begun) addAbsent(fleet, begun.agents);
  return { begun, fleet, agents };
}

/** Agents of other runs and spare ones are nobody that this run could lose. */
function keepOnly(fleet: Fleet, agents: ReadonlySet<string>): void {
  for (const agent of fleet.agents.keys()) if (!agents.has(agent)) fleet.agents.delete(agent);
}

/**
 * Begins a run or goes on with it.
 * @returns a function whose promise settles when every turn is spoken and all states are recorded
 */
export async function leadRun(parts: LeadParts): Promise<() => Promise<void>> {
  const { settings, link, metrics, log, shutdown, consumer, pool } = parts;
  const { run, study, runs, privateKey } = settings;
  const { begun, fleet, agents } = await findFleet(parts);
  // Nothing is begun for a run that is to be left.
  if (shutdown.isAsked()) return () => Promise.resolve();
  const folder = await openRunFolder(runs, { run, branches: study.branches !== null });
  shutdown.onStop('folder', () => folder.close());
  const facts = begun ?? runFacts(parts, fleet);
  await keepFacts(parts, facts, folder.path);
  const invitation = { run, agents, fleet, link, clock, privateKey, unanswered: new Set<string>(), log };
  const prepared = await inviteAll(invitation);
  shutdown.onStop('renewals', () => prepared.stop());
  const unplayable = new Set<string>();
  const running = await runStudy({
    ...facts,
    ...invitation,
    invited: prepared.invited,
    unplayable,
    folder,
    metrics,
    consumer,
    ...(parts.signal ? { signal: parts.signal } : {}),
    log,
  });
  parts.onState?.(running.state);
  shutdown.onStop('run', () => running.stop());
  const recorder = parts.recorder ?? recorderInMemory(fleet.analyzer);
  if (parts.recorder) await recordBy({ pool, recorder }, running, fleet.analyzer);
  const watch = watchRunFleet({ ...parts, recorder }, { running, invitation, unplayable, kept: folder.path });
  shutdown.onStop('watch', () => watch.stop());
  const released = { isAway: watch.isAway, over: false, timeoutMs: RELEASE_MS };
  shutdown.onStop('agents', async () => {
    if (!parts.keepsAgents()) await releaseAgents(invitation, released);
  });
  const turns = watchTurns({ state: running.state, metrics, clock, log });
  shutdown.onStop('turns', () => turns.stop());
  const modelOf = (agent: string): string | undefined => fleet.agents.get(agent)?.model.sha256;
  log.info({ run, agents: [...agents], outlook: hopelessStudy(study, modelOf) }, 'run started');
  return () => finishRun(parts, { running, invitation, watch });
}

async function finishRun(
  { settings, link, log }: LeadParts,
  of: { running: RunningStudy; invitation: InviteOptions; watch: FleetWatch },
): Promise<void> {
  const { running, invitation, watch } = of;
  const { run } = settings;
  const end = await running.done;
  log.info({ run, episodes: countEpisodes(end).finished, turns: countTurns(end) }, 'run finished');
  await awaitDrained(invitation, { timeoutMs: DRAIN_MS, isAway: watch.isAway });
  watch.stop();
  await tellFinished(link, { run, analyzer: invitation.fleet.analyzer.id, log });
  await releaseAgents(invitation, { isAway: watch.isAway, over: true });
}

/** Checks before a run begins that the layers exist, and that recording and prompts fit. */
async function checkRoom({ settings, link, log }: LeadParts, fleet: Fleet): Promise<void> {
  const { study, anySize } = settings;
  requireStepLayers(study, fleet);
  await checkDisk(link, { study, fleet, anySize, log });
  await checkPrompts(link, { study, fleet, log });
}

function requireStepLayers(study: Study, fleet: Fleet): void {
  const models = new Map([...fleet.agents].map(([agent, { model }]) => [agent, model]));
  const missing = missingLayer(study, models);
  if (missing) throw new EntrainError('STUDY_INVALID', `The study "${study.name}" ${missing}.`);
}

/** A folder on another machine does not have what the run was begun with. */
async function keepFacts({ facts: store }: LeadParts, facts: RunFacts, folder: string): Promise<void> {
  if (!store?.known) await store?.keep(facts);
  if (!(await readRunFile(folder))) await writeRunFile(folder, facts);
}

/** What is needed to repeat the run. */
function runFacts(parts: LeadParts, fleet: Fleet): RunFacts {
  const { settings, version } = parts;
  const { run, study } = settings;
  return {
    run,
    version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    study,
    agents: Object.fromEntries([...fleet.agents].map(([id, { model }]) => [id, model])),
    startedAtMs: clock.nowMs(),
  };
}
