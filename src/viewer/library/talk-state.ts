/**
 * The talk of a run, as a reduction of `events.jsonl`, `transcript.jsonl` and `branches.jsonl` of its folder.
 */
import { EPISODES_PER_SCENARIO, shortOf } from '../../protocol/minimums.ts';
import type { RunEvent } from '../../protocol/nats-messages.ts';
import type { AlternativeView, EpisodeView, RunState, UtteranceView } from '../view-data.ts';

export interface TalkState {
  /** Number of planned episodes; 0 before the run has begun. */
  planned: number;
  /** Of the plan: how often each scenario is played, and the number of episodes of each time. */
  rounds: number;
  perRound: number;
  finished: number;
  state: RunState;
  failure: string | undefined;
  talks: Map<string, EpisodeView>;
  /** By episode, in the order of the turns. */
  words: Map<string, UtteranceView[]>;
}

export const emptyTalk = (): TalkState => ({
  planned: 0,
  rounds: 1,
  perRound: 1,
  finished: 0,
  state: 'running',
  failure: undefined,
  talks: new Map(),
  words: new Map(),
});

/** Applies an event. @returns the episode that it changed */
export function takeEvent(talk: TalkState, event: RunEvent): EpisodeView | undefined {
  switch (event.type) {
    case 'run-started':
      return begin(talk, event);
    case 'run-finished':
      talk.state = 'finished';
      return undefined;
    case 'run-failed':
      talk.state = 'failed';
      talk.failure = event.reason;
      return undefined;
    case 'run-resumed':
      talk.state = 'running';
      talk.failure = undefined;
      return undefined;
    case 'episode-started':
      return put(talk, beginning(talk, event));
    case 'episode-finished':
      talk.finished += talk.talks.get(event.episode)?.open === false ? 0 : 1;
      return change(talk, event.episode, () => ({ open: false, turns: event.turns }));
    case 'episode-taken-over':
      return change(talk, event.episode, ({ order }) => ({
        order: order.map((agent, role) => (role === event.role ? event.agent : agent)),
      }));
    case 'episode-resumed':
    case 'run-recorded':
      return undefined;
  }
}

/** Applies a line of the transcript; a repeated turn is ignored. @returns the utterance if it is new */
export function takeUtterance(talk: TalkState, said: UtteranceView): UtteranceView | undefined {
  const words = talk.words.get(said.episode) ?? [];
  talk.words.set(said.episode, words);
  if (words.some(({ turn }) => turn === said.turn)) return undefined;
  words.push(said);
  words.sort((a, b) => a.turn - b.turn);
  change(talk, said.episode, ({ turns }) => ({ turns: Math.max(turns, said.turn + 1) }));
  return said;
}

/** Applies an alternative. @returns the utterance that it belongs to */
export function takeAlternative(
  talk: TalkState,
  place: { episode: string; turn: number },
  alternative: AlternativeView,
): UtteranceView | undefined {
  const said = talk.words.get(place.episode)?.find(({ turn }) => turn === place.turn);
  if (!said || said.alternatives?.some(({ k }) => k === alternative.k)) return undefined;
  said.alternatives = [...(said.alternatives ?? []), alternative].toSorted((a, b) => a.k - b.k);
  return said;
}

/** Who stands in a place of a condition; undefined where the places change hands. In `reader` it is who reads along. */
export function agentInPlace(
  talks: readonly EpisodeView[],
  condition: string,
  role: number,
): string | undefined {
  const own = talks.filter((talk) => talk.condition === condition);
  const names = new Set(
    own.map(({ order, reader }) =>
      role === order.length && reader !== undefined ? reader : order[role - 1],
    ),
  );
  const [name] = names;
  return names.size === 1 ? name : undefined;
}

/** What the condition with the most episodes still lacks for a first score; undefined if nothing. */
export function lackingIn(talks: readonly EpisodeView[]): string | undefined {
  const over = talks.filter(({ open }) => !open);
  const conditions = [...new Set(talks.map(({ condition }) => condition))];
  const all = conditions.map((condition) => over.filter((talk) => talk.condition === condition));
  const [own = []] = all.toSorted((a, b) => b.length - a.length);
  const scenarios = [...new Set(own.map(({ scenario }) => scenario))].filter(
    (scenario) => own.filter((talk) => talk.scenario === scenario).length >= EPISODES_PER_SCENARIO,
  ).length;
  // Of the first direction, which has the most: each of its pairs begins with the first speaker.
  const samples = own.reduce(
    (sum, { turns, order }) => sum + Math.floor((turns + order.length - 2) / order.length),
    0,
  );
  return shortOf({ scenarios, episodes: own.length, samples });
}

function begin(
  talk: TalkState,
  { episodes, study: { episodes: rounds, scenarios, pairs, conditions } }: EventOf<'run-started'>,
): undefined {
  talk.planned = episodes;
  talk.rounds = rounds;
  talk.perRound = scenarios.length * pairs.length * conditions.length;
}

type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>;

function beginning(talk: TalkState, event: EventOf<'episode-started'>): EpisodeView {
  const { episode, scenario, condition, order, reader } = event;
  const known = talk.talks.get(episode);
  const round = roundOf(talk, episode);
  const place = { episode, scenario, condition, order, ...(reader === undefined ? {} : { reader }) };
  const many = round === undefined ? {} : { round };
  return { ...place, ...many, turns: known?.turns ?? 0, open: known?.open ?? true };
}

/** Episodes are numbered in the order of the plan, which plays every scenario once before it plays one again. */
function roundOf({ rounds, perRound }: TalkState, episode: string): number | undefined {
  const number = /^e(\d+)$/.exec(episode)?.[1];
  return rounds < 2 || number === undefined ? undefined : Math.ceil(Number(number) / perRound);
}

function change(
  talk: TalkState,
  episode: string,
  to: (was: EpisodeView) => Partial<EpisodeView>,
): EpisodeView | undefined {
  const was = talk.talks.get(episode);
  return was && put(talk, { ...was, ...to(was) });
}

function put(talk: TalkState, view: EpisodeView): EpisodeView {
  talk.talks.set(view.episode, view);
  return view;
}
