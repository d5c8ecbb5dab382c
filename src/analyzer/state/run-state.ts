/** What the analyzer knows of one run: its episodes, its groups and the last score of each. Pure: frames and scores in, reports out. */
import type { EpisodeFrame, TurnFrame } from '../../protocol/stream/frames.ts';
import type {
  CurvePoint,
  DifferenceReport,
  GroupReport,
  PairReport,
  PrequentialReport,
  ScoreReport,
  StrictReport,
} from '../../protocol/report.ts';
import { cohensF2 } from '../../synchrony/stats/effect-size.ts';
import { qValues } from '../../synchrony/stats/false-discovery.ts';
import { differencesOf } from './differences.ts';
import {
  createEpisodeBook,
  placeOf,
  type EpisodeBook,
  type Group,
  type Origin,
  type Row,
} from '../ingest/episode-index.ts';
import { awaitsScores, goOn } from './run-end.ts';
import { pairReports, renewPair } from './run-pairs.ts';
import type { BesideScore, GroupScore, PointScore } from '../scoring/messages.ts';
import type { StepScore } from '../steps/step-messages.ts';
import { stepReport, takeStepScore, type GroupSteps } from '../steps/step-report.ts';

export interface GroupState {
  group: Group;
  samples: number;
  /** Scenario → its episodes. */
  scenarios: Map<string, Set<string>>;
  /** Counts every change of the group's rows, in the order of the frames, as the worker does. */
  version: number;
  score: GroupScore | undefined;
  /** The strict score with the rows since the full one. */
  point: PointScore | undefined;
  /** What stands beside the score; it may lag behind it. */
  beside: BesideScore | undefined;
  /** What the windows of aligned steps gave, by episode. */
  steps: GroupSteps;
  curve: CurvePoint[];
  /** When a full or a point score was published last; undefined before the first. Rows alone make no figure younger. */
  scoredAtMs: number | undefined;
  /** Monotonic arrival times of the rows that no score holds yet. */
  unscored: { version: number; arrivedMs: number }[];
}

export interface RunState {
  run: string;
  book: EpisodeBook<null>;
  groups: Map<string, GroupState>;
  turns: number;
  /** Frames of steps sent to be scored, and how many of them are in published scores. */
  stepFrames: number;
  settledStepFrames: number;
  /** Per stream, the episode it was last in, and when. */
  lastEpisode: Map<string, { episode: string; atMs: number }>;
  differences: DifferenceReport[];
  /** Reports of pairs that still hold, by key. */
  pairs: Map<string, PairReport>;
  /** Open until its coordinator says that it has ended as planned; final once everything recorded is in its scores. */
  phase: 'open' | 'ended' | 'final';
}

const CURVE_POINTS = 120;

export function createRunState(run: string): RunState {
  return {
    run,
    book: createEpisodeBook(),
    groups: new Map(),
    turns: 0,
    stepFrames: 0,
    settledStepFrames: 0,
    lastEpisode: new Map(),
    differences: [],
    pairs: new Map(),
    phase: 'open',
  };
}

export interface BookedFrame {
  frame: EpisodeFrame | TurnFrame;
  origin: Origin;
  /** Monotonic. */
  arrivedMs: number;
  nowMs: number;
}

export function takeFrame(state: RunState, { frame, origin, arrivedMs, nowMs }: BookedFrame): void {
  state.lastEpisode.set(origin.stream, { episode: frame.episode, atMs: nowMs });
  if (frame.type === 'turn') state.turns += 1;
  const change =
    frame.type === 'episode'
      ? state.book.addEpisode(frame)
      : state.book.addTurn(frame.episode, { ...placeOf(frame, origin), payload: null });
  if (change.added.length + change.replaced.length > 0) goOn(state);
  for (const row of change.added) addRow(openGroup(state, row.group), row);
  for (const row of [...change.added, ...change.replaced]) {
    const group = openGroup(state, row.group);
    group.version += 1;
    group.unscored.push({ version: group.version, arrivedMs });
  }
}

function openGroup(state: RunState, group: Group): GroupState {
  const known = state.groups.get(group.key);
  if (known) return known;
  const fresh = emptyGroup(group);
  state.groups.set(group.key, fresh);
  renewPair(state, group);
  return fresh;
}

function emptyGroup(group: Group): GroupState {
  return {
    group,
    samples: 0,
    scenarios: new Map(),
    version: 0,
    score: undefined,
    point: undefined,
    beside: undefined,
    steps: new Map(),
    curve: [],
    scoredAtMs: undefined,
    unscored: [],
  };
}

function addRow(group: GroupState, row: Row): void {
  group.samples += 1;
  const inScenario = group.scenarios.get(row.scenario) ?? new Set();
  group.scenarios.set(row.scenario, inScenario.add(row.episode));
}

/** Keeps a score and gives the arrival times of the rows that it is the first to hold. */
export function takeScore(state: RunState, score: GroupScore, nowMs: number): number[] {
  const group = state.groups.get(score.group.key);
  if (!group || (group.score && group.score.version > score.version)) return [];
  group.score = score;
  renewPair(state, group.group);
  group.point = undefined;
  if (score.paper || score.strict) {
    group.scoredAtMs = nowMs;
    addPoint(group, score, nowMs);
  }
  if (score.strict) state.differences = differencesOf(scoresOf(state));
  return arrivalsUpTo(group, score.version);
}

/**
 * Keeps a point score and gives the arrival times of the rows that it is the first to hold. Undefined when it is late: it
 * went on from another full score than the one that stands, and lends null, interval and p-value.
 */
export function takePoint(state: RunState, point: PointScore, nowMs: number): number[] | undefined {
  const group = state.groups.get(point.group);
  if (!group?.score?.strict || point.base !== group.score.version) return undefined;
  if (group.point && point.version <= group.point.version) return undefined;
  group.point = point;
  group.scoredAtMs = nowMs;
  return arrivalsUpTo(group, point.version);
}

/** Keeps what stands beside a score; false when it is late. */
export function takeBeside(state: RunState, beside: BesideScore): boolean {
  const group = state.groups.get(beside.group);
  if (!group || (group.beside && group.beside.version > beside.version)) return false;
  group.beside = beside;
  return true;
}

/** Keeps what the window of one dyad's steps gave. */
export function takeSteps(state: RunState, score: StepScore): void {
  takeStepScore(openGroup(state, score.group).steps, score);
}

function arrivalsUpTo(group: GroupState, version: number): number[] {
  const held = group.unscored.filter((row) => row.version <= version);
  group.unscored = group.unscored.slice(held.length);
  return held.map(({ arrivedMs }) => arrivedMs);
}

const scoresOf = ({ groups }: RunState): GroupScore[] =>
  [...groups.values()].flatMap(({ score }) => (score ? [score] : []));

function addPoint(group: GroupState, score: GroupScore, atMs: number): void {
  const { samples, strict, paper, prequential } = score;
  group.curve.push({
    atMs,
    samples,
    strict: strict?.excess ?? null,
    paper: paper?.score ?? null,
    prequential: prequential?.score ?? null,
  });
  if (group.curve.length > CURVE_POINTS) group.curve = group.curve.filter((_, index) => index % 2 === 1);
}

export interface FrameCounts {
  framesAccepted: number;
  framesDurable: number;
}

export function scoreReport(state: RunState, counts: FrameCounts): ScoreReport {
  const pending = counts.framesAccepted > counts.framesDurable || awaitsScores(state);
  const groups = withQValues([...state.groups.values()].map(groupReport)).sort(byConditionAndDirection);
  const provisional = pending || state.phase !== 'final';
  const { run, differences } = state;
  return { run, provisional, pending, ...counts, groups, differences, pairs: pairReports(state) };
}

/** Every group with a p-value is one of the comparisons that a reader makes. */
function withQValues(groups: GroupReport[]): GroupReport[] {
  const tested = groups.flatMap(({ strict }) => (strict ? [strict.pValue] : []));
  const found = qValues(tested).values();
  return groups.map((group) => ({ ...group, qValue: group.strict ? (found.next().value ?? null) : null }));
}

function groupReport(state: GroupState): GroupReport {
  const { group, score, samples, curve, scoredAtMs } = state;
  const reason = score ? score.reason : 'Not computed yet.';
  const strict = strictNow(state);
  return {
    sourceModel: group.source.name,
    targetModel: group.target.name,
    direction: group.direction,
    condition: group.condition,
    agents: group.agents,
    sourceRole: group.sourceRole,
    targetRole: group.targetRole,
    samples,
    episodes: [...state.scenarios.values()].reduce((sum, { size }) => sum + size, 0),
    scenarios: state.scenarios.size,
    exchangeableScenarios: [...state.scenarios.values()].filter((episodes) => episodes.size > 1).length,
    paper: score?.paper ?? null,
    strict,
    prequential: prequentialReport(score?.prequential),
    effectSize: (strict && cohensF2(strict.score, strict.nullMean)) ?? null,
    qValue: null,
    beside: state.beside?.beside ?? null,
    steps: stepReport(state.steps),
    ...(score?.leftOut ? { leftOut: score.leftOut } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(score?.strict ? { evidenceSamples: score.strict.samples } : {}),
    ...(scoredAtMs === undefined ? {} : { scoredAtMs }),
    curve,
  };
}

function prequentialReport(answer: GroupScore['prequential'] | undefined): PrequentialReport | null {
  return answer ? { score: answer.score, tested: answer.tested } : null;
}

/** The full score, or the point score since, beside the null, interval and p-value of the full one. */
function strictNow({ score, point }: GroupState): StrictReport | null {
  const strict = score?.strict ?? null;
  if (!strict || !point) return strict;
  const { score: value, samples } = point;
  return { ...strict, score: value, excess: value - strict.nullMean, samples };
}

/** `live` stands first, the others by name. */
function byConditionAndDirection(a: GroupReport, b: GroupReport): number {
  const rank = (group: GroupReport): string =>
    [
      group.condition === 'live' ? 0 : 1,
      group.condition,
      group.agents,
      group.sourceRole,
      group.targetRole,
      group.sourceModel,
      group.targetModel,
    ].join('|');
  return rank(a) < rank(b) ? -1 : 1;
}

/** A stream that has been silent for so long is not in an episode any more. */
const SILENT_MS = 60_000;

/** An episode runs while it is the last one of some stream that still speaks. */
export function episodeCounts(state: RunState, nowMs: number): { running: number; finished: number } {
  const last = [...state.lastEpisode.values()].filter(({ atMs }) => nowMs - atMs < SILENT_MS);
  const running = new Set(last.map(({ episode }) => episode)).size;
  const all = [...state.book.episodes()].length;
  return { running, finished: all - running };
}
