/** States in plain words what the figures of a run show, by the highest rung of the ladder that has a result. */
import type { FiguresView, GroupView, VerdictView } from '../view-data.ts';

/** Significance level. */
const LEVEL = 0.05;

type Figures = Pick<FiguresView, 'groups' | 'provisional'>;

const percent = (value: number): string => `${Math.round(100 * value)}\u00a0%`;
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
const probability = (value: number): string => (value < 0.001 ? '< 0.001' : value.toFixed(3));
const ordinal = (place: number): string => `${place}${['st', 'nd', 'rd'][place - 1] ?? 'th'}`;

export function verdictOf(figures: Figures): VerdictView {
  const verdict =
    interventionVerdict(figures.groups) ??
    sequentialVerdict(figures.groups) ??
    adjustmentVerdict(figures.groups);
  if (!verdict) return { claim: waitingText(figures.groups), evidence: [], caveat: '' };
  return figures.provisional ? { ...verdict, claim: `So far: ${verdict.claim}` } : verdict;
}

/** Rung 3: the share of the variance of the listener's next state that the speaker's choice of words causes. */
function interventionVerdict(groups: readonly GroupView[]): VerdictView | undefined {
  const measured = groups.filter(({ intervention }) => intervention?.influence);
  const live = measured.filter(({ condition }) => condition === 'live');
  if (live.length === 0) return undefined;
  const moved = live.filter(({ intervention }) => (intervention?.influence?.low ?? 0) > 0);
  const evidence = measured.map(({ condition, sourceRole, targetRole, intervention }) => {
    const share = percent(intervention?.influence?.value ?? 0);
    return `${condition}: what the ${ordinal(sourceRole)} speaker says makes ${share} of the variation of the ${ordinal(targetRole)} one’s next state`;
  });
  const caveat = 'In this study, with these models and at this temperature.';
  return { claim: actingClaim(moved.length, live.length), evidence, caveat };
}

/** Rung 3 with too few histories for a share: the sequential test. */
function sequentialVerdict(groups: readonly GroupView[]): VerdictView | undefined {
  const all = groups.filter(({ intervention }) => intervention && intervention.sequentialP !== null);
  const tested = all.filter(({ condition }) => condition === 'live');
  const found = tested.filter(({ intervention }) => (intervention?.sequentialP ?? 1) <= LEVEL);
  if (found.length === 0) return undefined;
  const evidence = all.map(
    ({ condition, sourceRole, targetRole, intervention }) =>
      `${condition}, ${ordinal(sourceRole)} → ${ordinal(targetRole)}: p ${probability(intervention?.sequentialP ?? 1)} after ${intervention?.histories} histories`,
  );
  const claim = actingClaim(found.length, tested.length);
  return {
    claim,
    evidence,
    caveat: 'By a test that may be looked at any time; how much takes more histories.',
  };
}

function actingClaim(moved: number, all: number): string {
  if (moved === 0) return 'Neither is seen to act on the other.';
  return moved === all ? 'They act on one another.' : 'Some act on others: not in every direction.';
}

/** Rung 2: association of the states beyond scenario, turn and episode. The text says that it shows no effect. */
function adjustmentVerdict(groups: readonly GroupView[]): VerdictView | undefined {
  const scored = groups.filter(({ adjustment }) => adjustment);
  if (scored.length === 0) return undefined;
  const live = scored.filter(({ condition }) => condition === 'live');
  const told = live.length > 0 ? live : scored;
  const claim = told.some(counts)
    ? 'Their hidden states go together beyond what scenario, turn and episode explain.'
    : 'Their hidden states are not shown to go together beyond what scenario, turn and episode explain.';
  const evidence = scored.map(({ condition, sourceRole, targetRole, adjustment }) => {
    const { value, low, high } = adjustment ?? { value: NaN, low: NaN, high: NaN };
    const direction = `${ordinal(sourceRole)} → ${ordinal(targetRole)}`;
    return `${condition}, ${direction} ${signed(value)} [${signed(low)}, ${signed(high)}]`;
  });
  return { claim, evidence, caveat: 'Whether one acts on the other is not tested: that takes branches.' };
}

const counts = ({ adjustment }: GroupView): boolean =>
  adjustment !== null &&
  (adjustment.verdict === 'counts' || (adjustment.verdict === null && adjustment.low > 0));

function waitingText(groups: readonly GroupView[]): string {
  const waiting = groups.find(({ reason }) => reason !== undefined);
  return waiting?.reason === undefined
    ? 'Too little yet to say anything.'
    : `Too little yet: ${waiting.reason}`;
}
