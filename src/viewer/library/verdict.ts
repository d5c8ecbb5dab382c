/** What the figures of a run allow one to say, in plain words: the highest rung that has an answer speaks. */
import type { FiguresView, GroupView } from '../view-data.ts';

type Figures = Pick<FiguresView, 'groups' | 'provisional'>;

const percent = (value: number): string => `${Math.round(100 * value)} %`;
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
const ordinal = (place: number): string => `${place}${['st', 'nd', 'rd'][place - 1] ?? 'th'}`;

export function verdictOf(figures: Figures): string {
  const said = interventionText(figures) ?? adjustmentText(figures);
  if (said === undefined) return waitingText(figures);
  return figures.provisional ? `So far: ${said}` : said;
}

/** Rung 3: shares of the variance of the listener's next state that the speaker's choice of words makes. */
function interventionText({ groups }: Figures): string | undefined {
  const live = groups.filter(
    ({ condition, intervention }) => condition === 'live' && intervention?.influence,
  );
  if (live.length === 0) return undefined;
  const moved = live.filter(({ intervention }) => (intervention?.influence?.low ?? 0) > 0);
  const shares = live.map(
    ({ sourceRole, targetRole, intervention }) =>
      `what the ${ordinal(sourceRole)} speaker says makes ${percent(intervention?.influence?.value ?? 0)} of the variation of the ${ordinal(targetRole)} one’s next state`,
  );
  const deaf = groups.filter(
    ({ condition, intervention }) => condition === 'monologue' && intervention?.influence?.value === 0,
  );
  const beside = deaf.length > 0 ? ' In monologue: 0 %.' : '';
  const head =
    moved.length === live.length
      ? 'They act on one another'
      : moved.length > 0
        ? 'One acts on the other'
        : 'Neither is seen to act on the other';
  return `${head}: ${shares.join(', and ')}.${beside}`;
}

/** Rung 2: states that go together beyond scenario, turn and episode. No evidence of an effect, and it says so. */
function adjustmentText({ groups }: Figures): string | undefined {
  const scored = groups.filter(({ adjustment }) => adjustment);
  if (scored.length === 0) return undefined;
  const conditions = [...new Set(scored.map(({ condition }) => condition))];
  const parts = conditions.map(
    (name) => `${name} ${rangeOf(scored.filter(({ condition }) => condition === name))}`,
  );
  const live = conditions.includes('live') ? scored.filter(({ condition }) => condition === 'live') : scored;
  const counting = live.filter(
    ({ adjustment }) =>
      adjustment?.verdict === 'counts' || (adjustment?.verdict === null && adjustment.low > 0),
  );
  const head =
    counting.length > 0
      ? 'Their states go together beyond what scenario and turn explain'
      : 'Their states are not shown to go together beyond what scenario and turn explain';
  return `${head} (${parts.join('; ')}). Whether one acts on the other, only branches can show.`;
}

function rangeOf(groups: readonly GroupView[]): string {
  const values = groups.flatMap(({ adjustment }) => (adjustment ? [adjustment.value] : []));
  const [low, high] = [Math.min(...values), Math.max(...values)].map(signed);
  return low === high ? `${low}` : `${low} to ${high}`;
}

function waitingText({ groups }: Figures): string {
  const waiting = groups.find(({ reason }) => reason !== undefined);
  return waiting?.reason === undefined
    ? 'Too little yet to say anything.'
    : `Too little yet: ${waiting.reason}`;
}
