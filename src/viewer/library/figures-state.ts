/** Reads the figures of a run from its `scores.jsonl`: the last line of each group, and the group's curve. */
import type {
  BesideReport,
  LayerMapReport,
  PaperReport,
  StrictReport,
} from '../../protocol/reports/score-report.ts';
import type {
  CurveView,
  DifferenceView,
  FiguresView,
  GroupView,
  Interval,
  InterventionView,
  PatchView,
} from '../view-data.ts';
import { emptyEffects, takeMoves, takeParts, type EffectsState } from './effects-state.ts';
import { verdictOf, type VerdictGroup, type VerdictInput } from '../../protocol/verdict.ts';

export interface FiguresState {
  groups: Map<string, GroupView>;
  /** Of each line's group the key of its view. */
  names: Map<string, string>;
  effects: EffectsState;
  differences: Map<string, DifferenceView>;
  /** Whether the last line of each part is provisional, by its type and group; empty before the first line. */
  standings: Map<string, boolean>;
}

/** Most points of a curve; above it every second point is removed. */
const CURVE_POINTS = 400;

export const emptyFigures = (): FiguresState => ({
  groups: new Map(),
  names: new Map(),
  effects: emptyEffects(),
  differences: new Map(),
  standings: new Map(),
});

type Line = Record<string, unknown>;

/** Takes in a line of `scores.jsonl`. @returns whether it changed what is shown */
export function takeScore(figures: FiguresState, line: Line): boolean {
  switch (line['type']) {
    case 'score':
      takeGroup(figures, line);
      break;
    case 'difference':
      takeDifference(figures, line);
      break;
    case 'influence':
      takeInfluence(figures, line);
      break;
    case 'beside':
      if (!takeBeside(figures, line)) return false;
      break;
    default:
      return false;
  }
  // Differences are final alone.
  if (line['type'] !== 'difference') noteStanding(figures, line);
  return true;
}

function noteStanding({ standings }: FiguresState, { type, group, provisional }: Line): void {
  standings.set(`${String(type)} ${String(group)}`, provisional !== false);
}

/** Until the last line of every part is final: the analyzer writes them one after another. */
export const isProvisional = ({ standings }: FiguresState): boolean =>
  standings.size === 0 || [...standings.values()].includes(true);

/**
 * @param nameOf who stands in a place, where the places are always the same agents'
 * @param lacking what a first score still lacks
 */
export function figuresView(
  figures: FiguresState,
  { nameOf, lacking }: Pick<VerdictInput, 'nameOf' | 'lacking'> = {},
): FiguresView {
  const { groups, differences } = figures;
  const provisional = isProvisional(figures);
  const sorted = [...groups.values()].toSorted((a, b) => a.key.localeCompare(b.key));
  const verdict = verdictOf({ groups: sorted.map(verdictGroup), provisional, nameOf, lacking });
  return { provisional, groups: sorted, differences: [...differences.values()], verdict };
}

function verdictGroup(group: GroupView): VerdictGroup {
  const { condition, agents, sourceRole, targetRole, intervention, adjustment, reason } = group;
  return {
    condition,
    agents,
    sourceRole,
    targetRole,
    influence: intervention?.influence ?? null,
    sequentialP: intervention?.sequentialP ?? null,
    histories: intervention?.histories ?? 0,
    excess: adjustment,
    reason,
  };
}

interface PlaceLine {
  group: string;
  condition: string;
  agents: number;
  sourceRole: number;
  targetRole: number;
  source: { name: string };
  target: { name: string };
  distance?: number;
}

function groupOf(figures: FiguresState, line: Line): GroupView {
  const place = line as unknown as PlaceLine;
  const { condition, agents, sourceRole, targetRole, distance = 1 } = place;
  const [sourceModel, targetModel] = [place.source.name, place.target.name];
  const key = `${condition} ${sourceRole}→${targetRole}/${agents} ${sourceModel}→${targetModel}`;
  figures.names.set(place.group, key);
  const known = figures.groups.get(key);
  if (known) return known;
  const names = { condition, agents, sourceRole, targetRole, sourceModel, targetModel, distance };
  const rungs = { association: null, adjustment: null, intervention: null, layerMap: null };
  const fresh: GroupView = { key, ...names, samples: 0, ...rungs, lags: [], curve: [] };
  figures.groups.set(key, fresh);
  return fresh;
}

function takeGroup(figures: FiguresState, line: Line): void {
  const group = groupOf(figures, line);
  const score = line as unknown as {
    atMs: number;
    samples: number;
    paper: PaperReport | null;
    strict: StrictReport | null;
    qValue?: number | null;
    verdict?: string | null;
    reason?: string;
  };
  const { atMs, samples, paper, strict, qValue = null, verdict = null, reason } = score;
  group.samples = samples;
  group.association = paper && {
    score: paper.score,
    unclipped: paper.unclipped,
    shuffled: paper.nullMean,
    pseudo: paper.pseudoMean,
    text: paper.textOnly ?? null,
  };
  group.adjustment = strict && {
    value: strict.excess,
    low: strict.ciLow,
    high: strict.ciHigh,
    pValue: strict.pValue,
    qValue,
    verdict,
    score: strict.score,
    nullMean: strict.nullMean,
  };
  if (reason === undefined) delete group.reason;
  else group.reason = reason;
  if (strict) addPoint(group, { atMs, samples, strict, paper });
}

function addPoint(
  group: GroupView,
  {
    atMs,
    samples,
    strict,
    paper,
  }: { atMs: number; samples: number; strict: StrictReport; paper: PaperReport | null },
): void {
  const { excess: value, ciLow: low, ciHigh: high } = strict;
  const point: CurveView = { atMs, samples, value, low, high, association: paper?.score ?? null };
  const before = group.curve.filter((one) => one.samples < samples);
  const kept = before.length < CURVE_POINTS ? before : before.filter((_, at) => at % 2 === 1);
  group.curve = [...kept, point];
}

interface DifferenceLine {
  between: 'dyads' | 'pairs';
  condition: string;
  against: string;
  difference: number;
  ciLow: number;
  ciHigh: number;
  pValue: number;
  sourceRole?: number;
  targetRole?: number;
}

function takeDifference(figures: FiguresState, line: Line): void {
  const said = line as unknown as DifferenceLine;
  const { between, condition, against, difference, ciLow, ciHigh, pValue, sourceRole, targetRole } = said;
  const isOneWay = between === 'dyads' && sourceRole !== undefined && targetRole !== undefined;
  const place = isOneWay ? { sourceRole, targetRole } : {};
  const models = [line['sourceModel'] ?? line['modelA'], line['targetModel'] ?? line['modelB']];
  const key = JSON.stringify([condition, against, place, models]);
  const figure = { value: difference, low: ciLow, high: ciHigh, pValue };
  figures.differences.set(key, { condition, against, ...place, ...figure });
}

type ShareLine = { value: number; ci: [number, number] } | null;
type ScoreLine = { score: number; ci: [number, number]; p_value: number } | null;

interface PatchLine extends Omit<PatchView, 'influence' | 'follows'> {
  influence: ShareLine;
  follows: ScoreLine;
}

/** As `entrain measure influence` writes them. */
interface InfluenceLine {
  histories: number;
  influence: ShareLine;
  matched: ScoreLine;
  sequential: { p_value: number } | null;
  patches?: PatchLine[];
  reason?: string;
}

function takeInfluence(figures: FiguresState, line: Line): void {
  const said = line as unknown as InfluenceLine;
  const { histories, influence, matched, sequential, patches, reason } = said;
  const view: InterventionView = {
    histories,
    influence: shareOf(influence),
    matched: scoreOf(matched),
    sequentialP: sequential?.p_value ?? null,
    ...(patches ? { patches: patches.map(patchOf) } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
  const group = groupOf(figures, line);
  group.intervention = view;
  takeMoves(figures.effects, group, line['moves']);
}

const patchOf = ({ layer, size, histories, influence, follows, reason }: PatchLine): PatchView => ({
  layer,
  ...(size === undefined ? {} : { size }),
  histories,
  influence: shareOf(influence),
  follows: scoreOf(follows),
  ...(reason === undefined ? {} : { reason }),
});

const shareOf = (said: ShareLine): Interval | null => said && intervalOf(said.value, said.ci);

const scoreOf = (said: ScoreLine): (Interval & { pValue: number }) | null =>
  said && { ...intervalOf(said.score, said.ci), pValue: said.p_value };

/** Secondary analyses. @returns false where their group is not known yet */
function takeBeside(figures: FiguresState, line: Line): boolean {
  const group = figures.groups.get(figures.names.get(String(line['group'])) ?? '');
  if (!group) return false;
  const { beside, layerMap = null } = line as { beside?: BesideReport; layerMap?: LayerMapReport | null };
  const lags = [
    [3, beside?.lag3],
    [5, beside?.lag5],
  ] as const;
  group.lags = lags.flatMap(([lag, found]) =>
    found ? [{ lag, value: found.excess, low: found.ciLow, high: found.ciHigh }] : [],
  );
  group.layerMap = layerMap && { map: layerMap.map, nulls: layerMap.nulls };
  if (layerMap) takeParts(figures.effects, group, layerMap);
  return true;
}

const intervalOf = (value: number, [low, high]: [number, number]): Interval => ({ value, low, high });
