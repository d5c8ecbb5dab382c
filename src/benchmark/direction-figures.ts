/** The figures of one direction between two models, rung by rung, as they were published last. */

export interface Figure {
  value: number;
  low: number;
  high: number;
  pValue?: number;
}

export interface DirectionFigures {
  condition: string;
  /** Place of the predicting or speaking model in the speaking order, from 1. */
  sourceRole: number;
  samples: number;
  /** Why there is no strict figure. */
  reason?: string;
  /** Rung 1: SyncR² as published, not clipped, and that of the text alone. */
  paper?: number;
  textOnly?: number;
  /** Rung 2. */
  excess?: Figure;
  beyondText?: Figure;
  /** Rung 3. */
  influence?: Figure;
  matched?: Figure;
}

interface Estimate {
  excess: number;
  ciLow: number;
  ciHigh: number;
  pValue?: number;
}

/** A line of `scores.jsonl` with the fields that are used here. */
export interface GroupScore {
  type: string;
  group?: string;
  condition?: string;
  sourceRole?: number;
  samples?: number;
  reason?: string;
  source?: { sha256: string };
  target?: { sha256: string };
  strict?: Estimate | null;
  paper?: { unclipped?: number; textOnly?: number | null } | null;
  beside?: { text?: Estimate | null };
  influence?: { value: number; ci: [number, number] } | null;
  matched?: { score: number; ci: [number, number]; p_value: number } | null;
}

export function figuresOf(
  lines: readonly GroupScore[],
  { source, target }: { source: string; target: string },
): DirectionFigures[] {
  const lastOf = (type: string): Map<string | undefined, GroupScore> =>
    new Map(lines.filter((line) => line.type === type).map((line) => [line.group, line]));
  const [besides, influences] = [lastOf('beside'), lastOf('influence')];
  return [...lastOf('score')]
    .filter(([, line]) => line.source?.sha256 === source && line.target?.sha256 === target)
    .map(([group, line]) =>
      figuresOfGroup(line, { beside: besides.get(group), branches: influences.get(group) }),
    )
    .toSorted((a, b) => (`${a.condition} ${a.sourceRole}` < `${b.condition} ${b.sourceRole}` ? -1 : 1));
}

function figuresOfGroup(
  { condition = '', sourceRole = 0, samples = 0, reason, strict, paper }: GroupScore,
  { beside, branches }: { beside: GroupScore | undefined; branches: GroupScore | undefined },
): DirectionFigures {
  const { influence, matched } = branches ?? {};
  const text = beside?.beside?.text;
  return {
    condition,
    sourceRole,
    samples,
    ...(reason === undefined ? {} : { reason }),
    ...(paper?.unclipped === undefined ? {} : { paper: paper.unclipped }),
    ...(typeof paper?.textOnly === 'number' ? { textOnly: paper.textOnly } : {}),
    ...(strict ? { excess: estimateOf(strict) } : {}),
    ...(text ? { beyondText: estimateOf(text) } : {}),
    ...(influence ? { influence: { value: influence.value, ...rangeOf(influence.ci) } } : {}),
    ...(matched
      ? { matched: { value: matched.score, ...rangeOf(matched.ci), pValue: matched.p_value } }
      : {}),
  };
}

const rangeOf = ([low, high]: readonly [number, number]): { low: number; high: number } => ({ low, high });

const estimateOf = ({ excess, ciLow, ciHigh, pValue }: Estimate): Figure => ({
  value: excess,
  low: ciLow,
  high: ciHigh,
  ...(pValue === undefined ? {} : { pValue }),
});
