/**
 * States in plain words what the figures of a run show, by the highest rung of the ladder (docs/method.md) that has a
 * result. Terminal and viewer print the same sentence.
 */

export interface Verdict {
  claim: string;
  /** The figures behind the claim, one for each condition. */
  evidence: string[];
  /** What the claim does not say. */
  caveat: string;
}

interface Range {
  value: number;
  low: number;
  high: number;
}

/** An ordered pair of places in one condition, with its figures; null where there is none. */
export interface VerdictGroup {
  condition: string;
  agents: number;
  /** Places in the speaking order, from 1. */
  sourceRole: number;
  targetRole: number;
  influence: Range | null;
  /** Of the test of branches that may be looked at any time. */
  sequentialP: number | null;
  histories: number;
  /** The excess of rung 2 and whether it counts; null before its q value. */
  excess: (Range & { verdict: string | null }) | null;
  /** Why there is no score yet. */
  reason?: string | undefined;
}

export interface VerdictInput {
  groups: readonly VerdictGroup[];
  provisional: boolean;
  /** What a first score still lacks, where there is no group yet. */
  lacking?: string | undefined;
  /** Who stands in a place; left out where the places change hands. */
  nameOf?: ((condition: string, role: number) => string | undefined) | undefined;
}

/** What the analyzer says of a group that has enough and waits for its turn. */
const NOT_COMPUTED = 'Not computed yet';

/** Significance level. */
const LEVEL = 0.05;

/** A share in per cent, with a no-break space. */
export const percent = (value: number): string => `${Math.round(100 * value)}\u00a0%`;
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
const probability = (value: number): string => (value < 0.001 ? '< 0.001' : value.toFixed(3));
const ordinal = (place: number): string => `${place}${['st', 'nd', 'rd'][place - 1] ?? 'th'}`;

export function verdictOf(input: VerdictInput): Verdict {
  const verdict = interventionVerdict(input) ?? sequentialVerdict(input) ?? adjustmentVerdict(input);
  if (!verdict) return { claim: waitingText(input), evidence: [], caveat: '' };
  return input.provisional ? { ...verdict, claim: `So far: ${lowerFirst(verdict.claim)}` } : verdict;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function nameIn(input: VerdictInput, { condition }: VerdictGroup, role: number): string {
  return input.nameOf?.(condition, role) ?? `the ${ordinal(role)} speaker`;
}

function arrowIn(input: VerdictInput, group: VerdictGroup): string {
  const name = (role: number): string => input.nameOf?.(group.condition, role) ?? ordinal(role);
  return `${name(group.sourceRole)} → ${name(group.targetRole)}`;
}

/** Each condition with what its groups say. */
function byCondition(groups: readonly VerdictGroup[], say: (group: VerdictGroup) => string): string[] {
  const conditions = [...new Set(groups.map(({ condition }) => condition))];
  return conditions.map(
    (condition) =>
      `${condition}: ${groups
        .filter((group) => group.condition === condition)
        .map(say)
        .join(', ')}`,
  );
}

/** Rung 3: the share of the variance of the listener's next state that the speaker's choice of words causes. */
function interventionVerdict(input: VerdictInput): Verdict | undefined {
  const measured = input.groups.filter(({ influence }) => influence);
  const live = measured.filter(({ condition }) => condition === 'live');
  if (live.length === 0) return undefined;
  const moved = live.filter(({ influence }) => (influence as Range).low > 0);
  const deaf = measured.filter(({ condition }) => condition === 'monologue');
  const most = Math.max(...deaf.map(({ influence }) => (influence as Range).value));
  const monologue =
    deaf.length === 0
      ? ''
      : ` In monologue: ${percent(most)}${deaf.length > 1 && most > 0 ? ' at most' : ''}.`;
  const told = moved.length > MOST_TOLD ? strongest(moved) : moved;
  const claim =
    moved.length === 0
      ? `${actingClaim(0, live.length)}: no interval of the influence lies above 0.`
      : `${actingClaim(moved.length, live.length)}: in this study, at this temperature, ${sharesText(input, told)}.${monologue}`;
  const others = measured.filter((group) => !told.includes(group) && !deaf.includes(group));
  const evidence = byCondition(
    others,
    (group) => `${arrowIn(input, group)} ${percent((group.influence as Range).value)}`,
  );
  return { claim, evidence, caveat: '' };
}

/** Directions that the sentence names; with more agents the strongest. */
const MOST_TOLD = 2;

const strongest = (groups: readonly VerdictGroup[]): VerdictGroup[] =>
  groups.toSorted((a, b) => shareOf(b) - shareOf(a)).slice(0, MOST_TOLD);

const shareOf = ({ influence }: VerdictGroup): number => influence?.value ?? 0;

/** @param groups one or two */
function sharesText(input: VerdictInput, groups: readonly VerdictGroup[]): string {
  const [first, second] = groups as [VerdictGroup, VerdictGroup | undefined];
  const [speaker, listener] = [
    nameIn(input, first, first.sourceRole),
    nameIn(input, first, first.targetRole),
  ];
  const begin = `what ${speaker} says makes ${percent(shareOf(first))} of the variation of ${listener}’s next state`;
  if (!second) return begin;
  const [other, whose] = [nameIn(input, second, second.sourceRole), nameIn(input, second, second.targetRole)];
  return `${begin}, and what ${other} says ${percent(shareOf(second))} of ${whose}’s`;
}

/** Rung 3 with too few histories for a share: the sequential test. */
function sequentialVerdict(input: VerdictInput): Verdict | undefined {
  const all = input.groups.filter(({ sequentialP }) => sequentialP !== null);
  const tested = all.filter(({ condition }) => condition === 'live');
  const found = tested.filter(({ sequentialP }) => (sequentialP as number) <= LEVEL);
  if (found.length === 0) return undefined;
  const isWide = tested.length > MOST_TOLD;
  const [surest] = found.toSorted((a, b) => (a.sequentialP as number) - (b.sequentialP as number));
  const told = isWide && surest ? `; the surest: what ${changesText(input, surest)}` : '';
  return {
    claim: `${actingClaim(found.length, tested.length)}${told}.`,
    evidence: isWide ? seenText(all) : byCondition(all, (group) => earlyText(input, group)),
    caveat: 'By a test that may be looked at any time; how much takes more histories.',
  };
}

const changesText = (input: VerdictInput, group: VerdictGroup): string =>
  `${nameIn(input, group, group.sourceRole)} says changes ${nameIn(input, group, group.targetRole)}`;

const earlyText = (input: VerdictInput, group: VerdictGroup): string =>
  `${arrowIn(input, group)} p ${probability(group.sequentialP as number)} after ${group.histories} histories`;

/** With more than two agents: a p-value of each direction would be a wall of figures. */
function seenText(groups: readonly VerdictGroup[]): string[] {
  return [...new Set(groups.map(({ condition }) => condition))].map((condition) => {
    const own = groups.filter((group) => group.condition === condition);
    const seen = own.filter(({ sequentialP }) => (sequentialP as number) <= LEVEL);
    return `${condition}: seen in ${seen.length} of ${own.length} directions`;
  });
}

function actingClaim(moved: number, all: number): string {
  if (moved === 0) return 'Neither is seen to act on the other';
  return moved === all ? 'They act on one another' : `Some act on others, in ${moved} of ${all} directions`;
}

/** Rung 2: association of the states beyond scenario, turn and episode. The text says that it shows no effect. */
function adjustmentVerdict(input: VerdictInput): Verdict | undefined {
  const scored = input.groups.filter(({ excess }) => excess);
  if (scored.length === 0) return undefined;
  const live = scored.filter(({ condition }) => condition === 'live');
  const told = live.length > 0 ? live : scored;
  const claim = told.some(counts)
    ? 'Their hidden states go together beyond what scenario, turn and episode explain.'
    : 'Their hidden states are not shown to go together beyond what scenario, turn and episode explain.';
  const evidence = byCondition(scored, (group) => {
    const { value, low, high } = group.excess as Range;
    return `${arrowIn(input, group)} ${signed(value)} [${signed(low)}, ${signed(high)}]`;
  });
  return { claim, evidence, caveat: 'Whether one acts on the other is not tested: that takes branches.' };
}

const counts = ({ excess }: VerdictGroup): boolean =>
  excess !== null && (excess.verdict === 'counts' || (excess.verdict === null && excess.low > 0));

function waitingText({ groups, lacking }: VerdictInput): string {
  const reasons = groups.flatMap(({ reason }) => reason ?? []);
  const short = reasons.find((reason) => !reason.startsWith(NOT_COMPUTED));
  if (short !== undefined) return `Too little yet: ${short.replace(/^too few[^:]*: /i, '')}`;
  if (reasons.length > 0) return 'The first figures are being computed.';
  return lacking === undefined ? 'Too little yet to say anything.' : `Too little yet: ${lacking}.`;
}
