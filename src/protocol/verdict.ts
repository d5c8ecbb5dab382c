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
const hundredths = (value: number): string => String(Math.round(100 * value)).replace('-', '−');
const signed = (value: number): string => {
  const digits = Math.abs(value).toFixed(2);
  return Number(digits) === 0 ? digits : `${value < 0 ? '−' : '+'}${digits}`;
};
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
  return conditionsOf(groups).map(
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
  const isLive = ({ condition }: VerdictGroup): boolean => condition === 'live';
  if (!measured.some(isLive)) return undefined;
  const deaf = measured.filter(({ condition }) => condition === 'monologue');
  const most = Math.max(...deaf.map(shareOf));
  const monologue =
    deaf.length === 0
      ? ''
      : ` In monologue: ${percent(most)}${deaf.length > 1 && most > 0 ? ' at most' : ''}.`;
  // A direction without a share yet stands by its test: a share elsewhere takes nothing back.
  const live = input.groups.filter((group) => isLive(group) && isTested(group));
  const moved = live.filter(isSeen);
  if (hasSeveralModels(live)) return modelsActing(measured, { live, moved, monologue });
  const claim = actingClaim(moved, live);
  const sized = moved.filter(({ influence }) => influence);
  const said =
    moved.length === 0
      ? ': no interval of the influence lies above 0.'
      : `: ${movedText(input, { moved, sized })}.${sized.length > 0 ? monologue : ''}`;
  const heard = input.groups.filter((group) => isTested(group) && group.condition !== 'monologue');
  const evidence = byCondition(heard, (group) =>
    group.influence ? shareText(input, group) : earlyText(input, group),
  );
  return { claim: claim + said, evidence, caveat: BETWEEN_ALTERNATIVES };
}

const BETWEEN_ALTERNATIVES =
  'The shares are of the variation between alternatives that were tried at single turns, the histories.';

const isTested = ({ influence, sequentialP }: VerdictGroup): boolean =>
  influence !== null || sequentialP !== null;

/** Whether an effect is shown: by its interval, or as long as it has none by the sequential test. */
const isSeen = ({ influence, sequentialP }: VerdictGroup): boolean =>
  influence ? influence.low > 0 : sequentialP !== null && sequentialP <= LEVEL;

/** The strongest shares, and what is seen without one. */
function movedText(
  input: VerdictInput,
  { moved, sized }: { moved: VerdictGroup[]; sized: VerdictGroup[] },
): string {
  const [unsized, ...others] = moved.filter(({ influence }) => !influence);
  if (sized.length === 0 && unsized) return `what ${changesText(input, unsized)}`;
  const told = sized.length > MOST_TOLD ? strongest(sized) : sized;
  const shares = `in this study, at this temperature, ${sharesText(input, told)}`;
  if (!unsized || moved.length > MOST_TOLD || others.length > 0) return shares;
  return `${shares}; what ${changesText(input, unsized)} too, how much is not known yet`;
}

function shareText(input: VerdictInput, group: VerdictGroup): string {
  const { influence, histories, sequentialP } = group;
  const { value, low, high } = influence as Range;
  const p = sequentialP === null ? '' : `p ${probability(sequentialP)}, `;
  return `${arrowIn(input, group)} ${percent(value)} [${hundredths(low)}, ${hundredths(high)}] (${p}${histories} histories)`;
}

/** Whether groups differ in their models alone: then no direction stands for the others. */
function hasSeveralModels(groups: readonly VerdictGroup[]): boolean {
  const places = groups.map(({ condition, sourceRole, targetRole }) =>
    [condition, sourceRole, targetRole].join(' '),
  );
  return new Set(places).size < places.length;
}

/** Rung 3 over pairs of models: in how many groups, and from how much to how much. */
function modelsActing(
  measured: readonly VerdictGroup[],
  { live, moved, monologue }: { live: VerdictGroup[]; moved: VerdictGroup[]; monologue: string },
): Verdict {
  const shares = moved.filter(({ influence }) => influence).map(shareOf);
  const said =
    shares.length === 0
      ? ': no interval of the influence lies above 0'
      : `: in this study, at this temperature, what one says makes ${percent(Math.min(...shares))} to ${percent(Math.max(...shares))} of the variation of the other’s next state, by pair of models and direction`;
  const evidence = conditionsOf(measured).map((condition) => {
    const own = measured.filter((group) => group.condition === condition);
    const above = own.filter(({ influence }) => (influence as Range).low > 0).length;
    return `${condition}: above 0 in ${above} of ${own.length} pairs of models and directions`;
  });
  return { claim: `${actingClaim(moved, live)}${said}.${monologue}`, evidence, caveat: BETWEEN_ALTERNATIVES };
}

/** Rung 2 over pairs of models. */
function modelsTogether(scored: readonly VerdictGroup[]): string[] {
  return conditionsOf(scored).map((condition) => {
    const own = scored.filter((group) => group.condition === condition);
    const values = own.map(({ excess }) => (excess as Range).value);
    return `${condition}: shown in ${own.filter(counts).length} of ${own.length} pairs of models and directions, excess ${signed(Math.min(...values))} to ${signed(Math.max(...values))}`;
  });
}

const conditionsOf = (groups: readonly VerdictGroup[]): string[] => [
  ...new Set(groups.map(({ condition }) => condition)),
];

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
  const isOne = found.length === 1;
  const told = surest && (isWide || isOne) ? changesText(input, surest) : '';
  const claim = actingClaim(found, tested);
  return {
    claim: told === '' ? `${claim}.` : `${claim}${isOne ? ': ' : '; the surest: '}what ${told}.`,
    evidence: isWide ? seenText(all) : byCondition(all, (group) => earlyText(input, group)),
    caveat: 'This p holds however often one looks; how much they move each other shows after more histories.',
  };
}

const changesText = (input: VerdictInput, group: VerdictGroup): string =>
  `${nameIn(input, group, group.sourceRole)} says changes ${nameIn(input, group, group.targetRole)}`;

const earlyText = (input: VerdictInput, group: VerdictGroup): string =>
  `${arrowIn(input, group)} p ${probability(group.sequentialP ?? 1)} after ${group.histories} histories`;

/** With more than two agents: a p-value of each direction would be a wall of figures. */
function seenText(groups: readonly VerdictGroup[]): string[] {
  return conditionsOf(groups).map((condition) => {
    const own = groups.filter((group) => group.condition === condition);
    const seen = own.filter(({ sequentialP }) => (sequentialP as number) <= LEVEL);
    return `${condition}: seen in ${seen.length} of ${own.length} directions`;
  });
}

/** A direction that has no figure yet counts as one in which nothing is seen. */
function actingClaim(moved: readonly VerdictGroup[], tested: readonly VerdictGroup[]): string {
  const agents = Math.max(2, ...tested.map((group) => group.agents));
  const all = Math.max(tested.length, agents * (agents - 1));
  if (moved.length === all) return 'They act on one another';
  if (all === 2) return moved.length === 0 ? 'Neither is seen to act on the other' : 'One acts on the other';
  return moved.length === 0
    ? 'None is seen to act on another'
    : `Some act on others, in ${moved.length} of ${all} directions`;
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
  const evidence = hasSeveralModels(scored)
    ? modelsTogether(scored)
    : byCondition(scored, (group) => {
        const { value, low, high } = group.excess as Range;
        const figures = `${signed(value)} [${signed(low)}, ${signed(high)}]`;
        return `${arrowIn(input, group)} ${figures}${counts(group) ? '' : ' not shown'}`;
      });
  return { claim, evidence, caveat: 'Whether one acts on the other is not tested: that takes branches.' };
}

const counts = ({ excess }: VerdictGroup): boolean =>
  excess !== null && (excess.verdict === 'counts' || (excess.verdict === null && excess.low > 0));

/** Of what there is too little, without saying so again. */
export const withoutTooFew = (reason: string): string =>
  reason.includes(': ') ? reason.replace(/^too few(?: for a score)?:? /i, '') : reason;

function waitingText({ groups, lacking }: VerdictInput): string {
  const reasons = groups.flatMap(({ reason }) => reason ?? []);
  const short = reasons.find((reason) => !reason.startsWith(NOT_COMPUTED));
  if (short !== undefined) return `Too little yet: ${withoutTooFew(short)}`;
  if (reasons.length > 0) return 'The first figures are being computed.';
  return lacking === undefined ? 'Too little yet to say anything.' : `Too little yet: ${lacking}.`;
}
