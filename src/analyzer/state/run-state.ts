/**
 * What the analyzer knows of one run: its episodes, its groups and the last score of each. Pure functions: frames and
 * scores in, rows out.
 */
import type { CurvePoint, DifferenceReport, PairReport } from '../../protocol/reports/score-report.ts';
import type { TalkReport } from '../../protocol/reports/talk-report.ts';
import { createBranchState, type BranchState } from '../branches/branch-state.ts';
import { createEpisodeIndex, rowsOf, type Group, type Row } from '../ingest/episode-index.ts';
import type { RowsUpdate } from '../ingest/group-rows.ts';
import { episodesUnderCap, isCapDue, MAX_ROWS } from '../ingest/row-cap.ts';
import { createRowMemory, type RowMemory } from '../ingest/row-memory.ts';
import { indexFrame, ownedRow, type FrameWithOrigin, type TurnIndex } from '../ingest/run-rows.ts';
import { bytesOfTurn, NO_NUMBERS, type SharedTurn } from '../ingest/turn-numbers.ts';
import { groupBy } from '../../synchrony/group-by.ts';
import { differencesOf } from './differences.ts';
import { pairKey } from './pair-means.ts';
import { goOn, type RunEnd } from './run-end.ts';
import { memberOf, renewPair } from './run-pairs.ts';
import { countTalk, talkReport, type TalkCounts } from './talk-quality.ts';
import type { BesideScore, GroupScore } from '../scoring/messages.ts';
import type { StepScore } from '../steps/step-messages.ts';
import { takeStepScore, type GroupSteps } from '../steps/step-report.ts';

export interface GroupState {
  group: Group;
  samples: number;
  /** Scenario → its episodes → their rows. */
  scenarios: Map<string, Map<string, number>>;
  /** Scenario → quality of its talk; counted again after a frame of one of its episodes. */
  talk: Map<string, TalkCounts>;
  /** Number of changes of the group's rows. */
  version: number;
  /** Why its rows are not kept, so that it never gets a score; undefined for a group that is scored. */
  refused: string | undefined;
  score: GroupScore | undefined;
  /** What stands beside the score; it may lag behind it. */
  beside: BesideScore | undefined;
  /** Results of the windows of aligned steps, by episode. */
  steps: GroupSteps;
  curve: CurvePoint[];
  /** When a score was last published; undefined before the first. */
  scoredAtMs: number | undefined;
  /** Monotonic arrival times of rows that are in no score yet. */
  unscored: { version: number; arrivedMs: number }[];
}

export interface RunState extends RunEnd {
  run: string;
  /** Index of all turns, with their states in shared memory. */
  index: TurnIndex;
  groups: Map<string, GroupState>;
  turns: number;
  /** Milliseconds since 1970 of the last frame, score or end. */
  changedAtMs: number;
  /** Number of steps frames sent to be scored, and of those in published scores. */
  stepFrames: number;
  settledStepFrames: number;
  /** Number of dyads whose newest turns are in no published step score. */
  waitingDyads: number;
  /** For each stream, its last episode and when it was there. */
  lastEpisode: Map<string, { episode: string; atMs: number }>;
  differences: DifferenceReport[];
  /** Counterfactual branches. */
  branches: BranchState;
  /** Reports of pairs that are still valid, by key. */
  pairs: Map<string, PairReport>;
}

const CURVE_POINTS = 120;

export function createRunState(run: string): RunState {
  return {
    run,
    index: createEpisodeIndex<SharedTurn>(),
    groups: new Map(),
    turns: 0,
    changedAtMs: 0,
    stepFrames: 0,
    settledStepFrames: 0,
    waitingDyads: 0,
    lastEpisode: new Map(),
    differences: [],
    branches: createBranchState(),
    pairs: new Map(),
    phase: 'open',
  };
}

export interface ArrivedFrame extends FrameWithOrigin {
  /** Monotonic. */
  arrivedMs: number;
  nowMs: number;
}

/** Memory for the rows of all runs, and whether a new group is refused. */
export interface Admission {
  memory: RowMemory;
  refuse(run: string): string | undefined;
}

/** For a group that needs no rows. */
const ALWAYS: Admission = { memory: createRowMemory(Infinity), refuse: () => undefined };

/**
 * Indexes a frame.
 * @returns the rows that changed, for the owners of their groups
 */
export function takeFrame(state: RunState, arrived: ArrivedFrame, admission: Admission): RowsUpdate[] {
  const { frame, origin, arrivedMs, nowMs } = arrived;
  state.lastEpisode.set(origin.stream, { episode: frame.episode, atMs: nowMs });
  state.changedAtMs = nowMs;
  if (frame.type === 'turn') state.turns += 1;
  const known = frame.type === 'turn' ? payloadOf(state, frame) : NO_NUMBERS;
  const change = indexFrame(state.index, arrived);
  if (frame.type === 'turn')
    admission.memory.take(state.run, bytesOfTurn(payloadOf(state, frame)) - bytesOfTurn(known));
  for (const row of change.added) addRow(openGroup(state, row.group, admission), row);
  forgetTalk(state, frame.episode);
  const rows = [...change.added, ...change.replaced];
  const updates = rows.flatMap((row): RowsUpdate[] => {
    const group = openGroup(state, row.group, admission);
    if (group.refused !== undefined) return [];
    group.version += 1;
    group.unscored.push({ version: group.version, arrivedMs });
    return [{ group: row.group, version: group.version, rows: [ownedRow(state.index, row)] }];
  });
  if (updates.length > 0) goOn(state);
  dropOverCap(state, change.added, admission.memory);
  return updates;
}

/** A frame also describes the turn before it, which may be in turn pairs of other groups. */
function forgetTalk({ index, groups }: RunState, episode: string): void {
  const scenario = index.episode(episode)?.about?.scenario;
  if (scenario !== undefined) for (const group of groups.values()) group.talk.delete(scenario);
}

/** Quality of the talk of a group; null if no sender has described it. */
export function talkOf({ index }: RunState, { group, scenarios, talk }: GroupState): TalkReport | null {
  for (const [scenario, episodes] of scenarios) {
    if (talk.has(scenario)) continue;
    const turns = [...episodes.keys()].flatMap((episode) => index.episode(episode)?.turns ?? []);
    talk.set(scenario, countTalk(group, turns));
  }
  return talkReport(talk.values());
}

function payloadOf({ index }: RunState, { episode, turn }: { episode: string; turn: number }): SharedTurn {
  return index.episode(episode)?.turns.get(turn)?.payload ?? NO_NUMBERS;
}

/** All rows of the run with their states, for the owners of its groups. */
export function allRows(state: RunState): RowsUpdate[] {
  const rows = groupBy(
    [...state.index.episodes()].flatMap((episode) => rowsOf(episode)),
    (row) => row.group.key,
  );
  return [...rows].flatMap(([key, own]) => {
    const group = state.groups.get(key);
    if (!group || group.refused !== undefined) return [];
    return [
      { group: group.group, version: group.version, rows: own.map((row) => ownedRow(state.index, row)) },
    ];
  });
}

/**
 * Drops the states of episodes that no group keeps: those above every group's row limit, and those only in refused
 * groups.
 */
function dropOverCap(state: RunState, added: readonly Row[], memory: RowMemory): void {
  const touched = added.flatMap(({ group }) => state.groups.get(group.key) ?? []);
  if (touched.some(({ samples, refused }) => refused === undefined && isCapDue(samples, MAX_ROWS)))
    return dropUnkept(state, memory);
  const [episode] = touched.every(({ refused }) => refused !== undefined) ? added : [];
  if (!episode) return;
  const isScored = [...state.groups.values()].some(
    ({ refused, scenarios }) =>
      refused === undefined && scenarios.get(episode.scenario)?.has(episode.episode) === true,
  );
  if (!isScored) dropTurns(state, memory, state.index.episode(episode.episode)?.turns.values() ?? []);
}

function dropUnkept(state: RunState, memory: RowMemory): void {
  const seen = new Set<string>();
  const kept = new Set<string>();
  for (const { scenarios, refused } of state.groups.values()) {
    const sizes = new Map([...scenarios.values()].flatMap((episodes) => [...episodes]));
    for (const episode of sizes.keys()) seen.add(episode);
    if (refused === undefined) for (const episode of episodesUnderCap(sizes, MAX_ROWS)) kept.add(episode);
  }
  for (const { id, turns } of state.index.episodes())
    if (seen.has(id) && !kept.has(id)) dropTurns(state, memory, turns.values());
}

/** Drops the states of all turns; counts are kept. */
export function dropNumbers(state: RunState, memory: RowMemory): void {
  for (const { turns } of state.index.episodes()) dropTurns(state, memory, turns.values());
  memory.give(state.run, state.branches.index.drop());
}

function dropTurns({ run }: RunState, memory: RowMemory, turns: Iterable<{ payload: SharedTurn }>): void {
  for (const turn of turns) {
    memory.give(run, bytesOfTurn(turn.payload));
    turn.payload = NO_NUMBERS;
  }
}

/** Opens a group. The groups of one pair are scored or refused together, since a pair needs both directions. */
function openGroup(state: RunState, group: Group, { refuse }: Admission): GroupState {
  const known = state.groups.get(group.key);
  if (known) return known;
  const key = pairKey(group);
  const ofPair = [...state.groups.values()].find((other) => pairKey(other.group) === key);
  const fresh = { ...emptyGroup(group), refused: ofPair ? ofPair.refused : refuse(state.run) };
  state.groups.set(group.key, fresh);
  renewPair(state, group);
  return fresh;
}

function emptyGroup(group: Group): GroupState {
  return {
    group,
    samples: 0,
    scenarios: new Map(),
    talk: new Map(),
    version: 0,
    refused: undefined,
    score: undefined,
    beside: undefined,
    steps: new Map(),
    curve: [],
    scoredAtMs: undefined,
    unscored: [],
  };
}

function addRow(group: GroupState, { scenario, episode }: Row): void {
  group.samples += 1;
  const inScenario = group.scenarios.get(scenario) ?? new Map<string, number>();
  group.scenarios.set(scenario, inScenario.set(episode, (inScenario.get(episode) ?? 0) + 1));
}

/** Keeps a score, and gives the arrival times of rows that it is the first to include. */
export function takeScore(state: RunState, score: GroupScore, nowMs: number): number[] {
  const group = state.groups.get(score.group.key);
  if (!group || (group.score && group.score.version > score.version)) return [];
  group.score = score;
  state.changedAtMs = nowMs;
  renewPair(state, group.group);
  if (score.paper || score.strict) {
    group.scoredAtMs = nowMs;
    addPoint(group, score, nowMs);
  }
  if (score.strict) state.differences = differencesOf([...state.groups.values()].map(memberOf));
  return arrivalsUpTo(group, score.version);
}

/** Keeps secondary analyses; false if they are out of date. */
export function takeBeside(state: RunState, beside: BesideScore): boolean {
  const group = state.groups.get(beside.group);
  if (!group || (group.beside && group.beside.version > beside.version)) return false;
  group.beside = beside;
  return true;
}

/** Keeps the result of one dyad's window of steps. */
export function takeSteps(state: RunState, score: StepScore): void {
  takeStepScore(openGroup(state, score.group, ALWAYS).steps, score);
}

/** A group whose turns have branched is reported on, before its first turn pair too. */
export function openBranchGroup(state: RunState, group: Group): void {
  openGroup(state, group, ALWAYS);
}

function arrivalsUpTo(group: GroupState, version: number): number[] {
  const held = group.unscored.filter((row) => row.version <= version);
  group.unscored = group.unscored.slice(held.length);
  return held.map(({ arrivedMs }) => arrivedMs);
}

function addPoint(group: GroupState, score: GroupScore, atMs: number): void {
  const { samples, strict, paper } = score;
  group.curve.push({
    atMs,
    samples,
    strict: strict?.excess ?? null,
    paper: paper?.score ?? null,
  });
  if (group.curve.length > CURVE_POINTS) group.curve = group.curve.filter((_, index) => index % 2 === 1);
}
