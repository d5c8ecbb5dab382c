/** What each rung of the ladder shows for a group: the figure with its interval and null, or why there is none. */
import type { DifferenceView, FiguresView, GroupView, Interval, PatchView } from '../../view-data.ts';
import { byCondition, figure, percent, probability, signed } from '../format.ts';

export interface Mark {
  at: Interval | undefined;
  /** Values under the null. */
  nulls: number[];
  text: string;
  /** The p or q value; empty if the figure has none. */
  p: string;
  /** What stands in the plot where there is no point. */
  note: string;
  title: string;
  /** Whether the interval contains the null; drawn hollow. */
  isPale: boolean;
}

export interface Axis {
  name: string;
  /** Whether values are shares, in per cent. */
  isShare: boolean;
}

const AXES = {
  influence: {
    name: 'Influence: share of the variation of the listener’s next state, between alternatives',
    isShare: true,
  },
  matched: {
    name: 'Matched SyncR²: how much of that movement the speaker’s own state predicts, R²',
    isShare: false,
  },
  patching: { name: 'Patching: share of the variation that a moved state makes', isShare: true },
  excess: { name: 'Excess: R² beyond the mean of the permutations', isShare: false },
  association: { name: 'SyncR² as published', isShare: false },
} as const;

/** A line of a rung: a group, or a difference between conditions. */
export interface Line {
  key: string;
  /** What the values are; lines of one axis are drawn together. */
  axis: Axis;
  condition: string;
  sourceRole: number | undefined;
  targetRole: number | undefined;
  /** Absent for a difference. */
  sourceModel?: string;
  targetModel?: string;
  mark: Mark | undefined;
  missing: string;
}

export interface Rung {
  place: number;
  name: string;
  question: string;
  definition: string;
  /** Where the glossary has more. */
  term: string;
  /** Text shown if no group has a figure. */
  notRun: string;
  lines(figures: FiguresView): Line[];
  /** Said in place of a plot in which nothing could be drawn. */
  instead?(lines: readonly Line[], figures: FiguresView): string | undefined;
}

export const RUNGS: readonly Rung[] = [
  {
    place: 3,
    name: 'Intervention',
    question: 'Does what one says change the other?',
    definition:
      'At some turns the speaker says alternatives from the same history, and the listener hears each from its own same state. Influence is the share of the variance of the listener’s next state that the choice of words makes: 0 where nobody hears: it says “acts on”. Matched SyncR² is how much of that movement the speaker’s own state predicts on held-out scenarios: it says “moves in line with”. Patching moves the speaker’s state before it speaks, at one layer: its influence is what any move makes of the listener’s next state; where the direction of the move predicts where the listener goes, that state is a cause of it.',
    term: 'influence',
    notRun: 'Not tested in this study: it has no "branches".',
    lines: ({ groups }) => [
      ...groups.toSorted(byCondition).map((group) => {
        const isNever = onlyReads(group) && groups.some(({ intervention }) => intervention);
        const mark = isNever ? ONLY_READS : influenceMark(group);
        return lineOf(group, [AXES.influence, mark], group.intervention?.reason);
      }),
      ...groups.toSorted(byCondition).flatMap(matchedLine),
      ...groups.toSorted(byCondition).flatMap(patchLines),
    ],
  },
  {
    place: 2,
    name: 'Adjustment',
    question: 'Do the states go together beyond scenario, turn and episode?',
    definition:
      'Excess: how much of the next speaker’s hidden state this speaker’s state tells (R²) once scenario, turn and episode are taken out, minus the mean of an exact permutation test. It is no proof of an effect: an input that both share in single episodes shows as well. “live − monologue” is the excess of the one minus that of the other.',
    term: 'excess',
    notRun: 'Nothing yet: it takes six scenarios with three episodes each.',
    lines: ({ groups, differences }) => [
      ...groups.toSorted(byCondition).map((group) => lineOf(group, [AXES.excess, adjustmentMark(group)])),
      ...differences
        .filter(({ sourceRole }) => sourceRole !== undefined)
        .toSorted((one, other) => one.against.localeCompare(other.against))
        .map(differenceLine),
    ],
  },
  {
    place: 1,
    name: 'Association',
    question: 'Do the states go together?',
    definition:
      'SyncR² as published, beside its nulls: shuffled turns, pseudo pairs of other episodes, and the same from the words alone. It also counts what both share without talking. It counts an R² below 0 as 0: then it cannot tell, which happens where turn pairs are few for the dimensions.',
    term: 'paper-mode',
    notRun: 'Nothing yet: it takes 120 turn pairs of a direction, of 18 episodes.',
    lines: ({ groups }) =>
      groups.toSorted(byCondition).map((group) => lineOf(group, [AXES.association, associationMark(group)])),
    instead: (lines, { groups }) => {
      const marks = lines.flatMap(({ mark }) => mark ?? []);
      if (marks.length === 0 || marks.some(({ at }) => at)) return undefined;
      const values = groups.flatMap(({ association }) => association?.unclipped ?? []);
      const range = [Math.min(...values), Math.max(...values)].map((value) => signed(value)).join(' to ');
      return `This measure cannot tell here: its R² is below 0 in every row (${range}), and below 0 counts as 0. That happens where turn pairs are few for the dimensions of the states.`;
    },
  },
];

const lineOf = (group: GroupView, [axis, mark]: [Axis, Mark | undefined], reason = group.reason): Line => ({
  key: group.key,
  axis,
  condition: group.condition,
  sourceRole: group.sourceRole,
  targetRole: group.targetRole,
  sourceModel: group.sourceModel,
  targetModel: group.targetModel,
  mark,
  missing: reason ?? 'not yet',
});

function influenceMark({ intervention }: GroupView): Mark | undefined {
  if (!intervention) return undefined;
  const { influence, histories, sequentialP, reason } = intervention;
  if (!influence) return sequentialP === null ? undefined : earlyMark(sequentialP, histories, reason);
  return {
    at: influence,
    nulls: [],
    text: percent(influence.value),
    p: sequentialP === null ? '' : pText(sequentialP),
    note: '',
    title: `influence ${rangeText(influence, figure)}, ${histories} histories`,
    isPale: influence.low <= 0,
  };
}

export const onlyReads = ({ condition, sourceRole, agents }: GroupView): boolean =>
  condition === 'reader' && sourceRole === agents;

/** Nothing of it can be tried, and none will come. */
const ONLY_READS: Mark = {
  at: undefined,
  nulls: [],
  text: '',
  p: '',
  note: 'only reads',
  title: 'none: it only reads, and says nothing that the other could hear',
  isPale: true,
};

/** With too few histories for a share: the p-value of the sequential test. */
function earlyMark(sequentialP: number, histories: number, reason = ''): Mark {
  const p = pText(sequentialP);
  const title = `no share yet: ${reason}; does it move at all: ${p} after ${histories} histories, however often one looks`;
  const counted = /\d+ of \d+/.exec(reason)?.[0];
  const note = counted === undefined ? 'no share yet' : `no share yet: ${counted} turns`;
  return { at: undefined, nulls: [], text: '', p, note, title, isPale: sequentialP > 0.05 };
}

const pText = (value: number): string => `p\u00a0${probability(value)}`;

/** Matched SyncR², shown beside the influence. */
function matchedLine(group: GroupView): Line[] {
  const matched = group.intervention?.matched;
  if (!matched) return [];
  const title = `matched SyncR² ${rangeText(matched, figure)}, p ${probability(matched.pValue)}`;
  const mark = {
    at: matched,
    nulls: [],
    text: figure(matched.value),
    p: pText(matched.pValue),
    note: '',
    title,
    isPale: matched.pValue > 0.05,
  };
  return [{ ...lineOf(group, [AXES.matched, mark]), key: `${group.key} matched` }];
}

/** A line for each layer and size at which the speaker's state was moved. */
const patchLines = (group: GroupView): Line[] =>
  (group.intervention?.patches ?? []).map((patch) => {
    const name = patchName(patch);
    const line = lineOf(group, [AXES.patching, patchMark(patch)], patch.reason);
    return { ...line, key: `${group.key} ${name}`, condition: `${group.condition}, ${name}` };
  });

/** As “patching layer 4 by 1 SD”; a replaced state has no size. */
export const patchName = ({ layer, size }: PatchView): string =>
  `patching layer ${layer} ${size === undefined ? 'from another episode' : `by ${size} SD`}`;

function patchMark({ influence, follows, histories }: PatchView): Mark | undefined {
  if (!influence) return undefined;
  const then = follows
    ? `follows ${rangeText(follows, figure)}, p ${probability(follows.pValue)}`
    : 'nothing to say of the direction';
  return {
    at: influence,
    nulls: [],
    text: percent(influence.value),
    p: '',
    note: '',
    title: `influence of the moved state ${rangeText(influence, figure)}; ${then}; ${histories} turns`,
    isPale: influence.low <= 0,
  };
}

function adjustmentMark({ adjustment }: GroupView): Mark | undefined {
  if (!adjustment) return undefined;
  const { value, low, high, pValue, qValue, verdict } = adjustment;
  const q = qValue === null ? '' : `, q ${probability(qValue)}`;
  const flagged = verdict === 'flagged' ? ', flagged: score or interval do not lie above 0' : '';
  return {
    at: { value, low, high },
    nulls: [],
    text: signed(value),
    p: qValue === null ? pText(pValue) : `q\u00a0${probability(qValue)}`,
    note: '',
    title: `excess ${rangeText(adjustment, signed)}, p ${probability(pValue)}${q}${flagged}`,
    isPale: verdict === null ? low <= 0 : verdict !== 'counts',
  };
}

function differenceLine(difference: DifferenceView): Line {
  const { condition, against, sourceRole, targetRole, value, low, high, pValue } = difference;
  const title = `difference ${rangeText(difference, signed)}, p ${probability(pValue)}`;
  return {
    key: `${condition} − ${against} ${sourceRole} ${targetRole}`,
    axis: AXES.excess,
    condition: `${condition} − ${against}`,
    sourceRole,
    targetRole,
    mark: {
      at: { value, low, high },
      nulls: [],
      text: signed(value),
      p: pText(pValue),
      note: '',
      title,
      isPale: low <= 0 && high >= 0,
    },
    missing: '',
  };
}

export const CANNOT_TELL = 'below 0: cannot tell';

function associationMark({ association }: GroupView): Mark | undefined {
  if (!association) return undefined;
  const { score, unclipped, shuffled, pseudo, text } = association;
  const nulls = [shuffled, pseudo, text].filter((value) => value !== null);
  const isClipped = score === 0 && unclipped < 0;
  const beside = `shuffled null ${shuffled === null ? '–' : figure(shuffled)}, pseudo null ${pseudo === null ? '–' : figure(pseudo)}${text === null ? '' : `, text alone ${figure(text)}`}`;
  return {
    at: isClipped ? undefined : { value: score, low: score, high: score },
    nulls: isClipped ? [] : nulls,
    text: isClipped ? '' : figure(score),
    p: '',
    note: isClipped ? CANNOT_TELL : '',
    title: `SyncR² ${figure(score)}${isClipped ? ` (below 0 counts as 0; it is ${figure(unclipped)})` : ''}; ${beside}`,
    isPale: nulls.some((value) => value >= score),
  };
}

const rangeText = ({ value, low, high }: Interval, write: (value: number) => string): string =>
  `${write(value)} [${write(low)}, ${write(high)}]`;
