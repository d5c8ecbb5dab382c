/** The page's state of one run as a pure reduction of what was read and what the feed brought. */
import type {
  EpisodeView,
  FeedMessage,
  HealthPart,
  RunView,
  TokenView,
  UtteranceView,
} from '../../view-data.ts';

export interface RunModel {
  run: RunView | undefined;
  /** How often it was read: once, and after each loss of the feed. */
  readings: number;
  /** Whether the viewer waits for the run to begin. */
  isAwaited: boolean;
  fault: string | undefined;
  /** Whether the feed was there and is lost. */
  isLost: boolean;
  /** How the programs of an open run are. */
  health: readonly HealthPart[];
  /** The words of the episode that was asked for last, and of those that are spoken now. */
  words: ReadonlyMap<string, readonly UtteranceView[]>;
  asked: string | undefined;
  /** The utterance being spoken, of each episode. */
  speaking: ReadonlyMap<string, { turn: number; agent: string; text: string }>;
  /** The episode to follow: it stays while it is open. */
  liveliest: string | undefined;
}

export type Change =
  | { type: 'read'; run: RunView }
  | { type: 'awaited' }
  | { type: 'fault'; fault: string }
  | { type: 'connected'; isConnected: boolean }
  | { type: 'words'; episode: string; words: readonly UtteranceView[] }
  /** What the feed brought since the last change, in its order. */
  | { type: 'news'; messages: readonly FeedMessage[] };

export const NOTHING: RunModel = {
  run: undefined,
  readings: 0,
  isAwaited: false,
  fault: undefined,
  isLost: false,
  health: [],
  asked: undefined,
  words: new Map(),
  speaking: new Map(),
  liveliest: undefined,
};

export function reduce(model: RunModel, change: Change): RunModel {
  switch (change.type) {
    case 'read':
      return {
        ...model,
        run: change.run,
        readings: model.readings + 1,
        isAwaited: false,
        fault: undefined,
        liveliest: model.liveliest ?? liveliestOf(change.run),
      };
    case 'awaited':
      return { ...model, isAwaited: true, fault: undefined };
    case 'fault':
      return { ...model, fault: change.fault };
    case 'connected':
      return { ...model, isLost: !change.isConnected };
    case 'words':
      return {
        ...model,
        fault: undefined,
        asked: change.episode,
        words: withWords(model.words, change.episode, change.words),
      };
    case 'news':
      return change.messages.reduce(takeMessage, model);
  }
}

function takeMessage(model: RunModel, change: FeedMessage): RunModel {
  switch (change.type) {
    case 'utterance':
      return takeUtterance(model, change.utterance);
    case 'token':
      return takeToken(model, change.token);
    case 'talk':
      return takeTalk(model, change.talk);
    case 'health':
      return { ...model, health: change.parts };
    case 'run':
      return withRun(model, () => ({
        ...change.entry,
        ...(change.failure === undefined ? {} : { failure: change.failure }),
      }));
    case 'figures':
      return withRun(model, () => ({ figures: change.figures, verdict: change.figures.verdict.claim }));
  }
}

const withRun = (model: RunModel, to: (run: RunView) => Partial<RunView>): RunModel =>
  model.run ? { ...model, run: { ...model.run, ...to(model.run) } } : model;

/** Where they hear one another there is most to see. */
function liveliestOf({ talks }: RunView): string | undefined {
  const isLive = ({ condition }: EpisodeView): boolean => condition === 'live';
  return (
    talks.findLast((talk) => talk.open && isLive(talk)) ??
    talks.findLast(({ open }) => open) ??
    talks.find(isLive) ??
    talks[0]
  )?.episode;
}

/** Of an episode that is over the words go, unless it is looked at: a page that stays open for days stays small. */
function takeTalk(model: RunModel, talk: EpisodeView): RunModel {
  const next = withRun(model, ({ talks }) => ({ talks: withTalk(talks, talk) }));
  if (talk.open) return next;
  const speaking = new Map(model.speaking);
  speaking.delete(talk.episode);
  if ([model.asked, model.liveliest].includes(talk.episode)) return { ...next, speaking };
  const open = new Set(next.run?.talks.filter((one) => one.open).map(({ episode }) => episode));
  const isKept = (episode: string): boolean =>
    open.has(episode) || episode === model.asked || episode === model.liveliest;
  return { ...next, speaking, words: new Map([...model.words].filter(([episode]) => isKept(episode))) };
}

/** In the order of their names, as the server sends them. */
function withTalk(talks: readonly EpisodeView[], talk: EpisodeView): EpisodeView[] {
  const at = talks.findIndex(({ episode }) => episode >= talk.episode);
  if (at < 0) return [...talks, talk];
  return talks[at]?.episode === talk.episode ? talks.with(at, talk) : talks.toSpliced(at, 0, talk);
}

function withWords(
  words: RunModel['words'],
  episode: string,
  fresh: readonly UtteranceView[],
): RunModel['words'] {
  const turns = new Map([...(words.get(episode) ?? []), ...fresh].map((one) => [one.turn, one]));
  return new Map(words).set(
    episode,
    [...turns.values()].toSorted((a, b) => a.turn - b.turn),
  );
}

function takeUtterance(model: RunModel, utterance: UtteranceView): RunModel {
  const { episode, turn } = utterance;
  const speaking = new Map(model.speaking);
  if ((speaking.get(episode)?.turn ?? -1) <= turn) speaking.delete(episode);
  const next = withRun(model, ({ talks }) => ({
    talks: talks.map((talk) =>
      talk.episode === episode ? { ...talk, turns: Math.max(talk.turns, turn + 1) } : talk,
    ),
  }));
  const isFollowed = model.run?.talks.some((talk) => talk.open && talk.episode === model.liveliest);
  const liveliest = isFollowed ? model.liveliest : next.run && nextOf(next.run, episode);
  return { ...next, speaking, liveliest, words: withWords(model.words, episode, [utterance]) };
}

/** The episode that speaks, unless they do not hear one another there and do elsewhere. */
function nextOf(run: RunView, speaks: string): string | undefined {
  const isHeard = run.talks.some(({ episode, condition }) => episode === speaks && condition === 'live');
  return isHeard ? speaks : (liveliestOf({ ...run, talks: run.talks.filter(({ open }) => open) }) ?? speaks);
}

function takeToken(model: RunModel, { episode, turn, agent, text }: TokenView): RunModel {
  const isSaid = model.words.get(episode)?.some((one) => one.turn === turn) ?? false;
  if (isSaid) return model;
  const was = model.speaking.get(episode);
  // Tokens come by another way than the end of their episode, and may come after it: they would stay for ever.
  if (!was && isOver(model, episode)) return model;
  const before = was?.turn === turn ? was.text : '';
  return { ...model, speaking: new Map(model.speaking).set(episode, { turn, agent, text: before + text }) };
}

const isOver = ({ run }: RunModel, episode: string): boolean =>
  run?.talks.findLast((talk) => talk.episode === episode)?.open === false;
