/** What the terminal knows of a run: a pure reduction of events, tokens and utterances. */
import type { RunEvent, Token, Utterance } from '../../protocol/nats-messages.ts';
import type { ScoreReport } from '../../protocol/reports/score-report.ts';

export interface ViewState {
  run: string;
  episodes: number;
  finished: number;
  turns: number;
  tokens: number;
  maxTurns: number;
  running: Map<string, RunningView>;
  /** The utterances being spoken, by episode. */
  speaking: ReadonlyMap<string, SpeakingView>;
  report: ScoreReport | undefined;
  /** Printed while no agent speaks. */
  note: string | undefined;
  ended: { failed: false } | { failed: true; reason: string } | undefined;
}

export interface SpeakingView {
  turn: number;
  agent: string;
  text: string;
}

export interface RunningView {
  scenario: string;
  condition: string;
  turns: number;
  /** Tokens that this terminal has received so far. */
  tokens: number;
  /** Speakers in order: turn t belongs to `speakers[t % speakers.length]`. */
  speakers: readonly string[];
  /** Number of speakers that have left. */
  gone: number;
  /** Whether fewer than two speakers are left, so that no turn follows. */
  left: boolean;
}

export function emptyView(run: string): ViewState {
  return {
    run,
    episodes: 0,
    finished: 0,
    turns: 0,
    tokens: 0,
    maxTurns: 0,
    running: new Map(),
    speaking: new Map(),
    report: undefined,
    note: undefined,
    ended: undefined,
  };
}

export function viewEvent(state: ViewState, event: RunEvent): ViewState {
  const running = new Map(state.running);
  switch (event.type) {
    case 'run-started':
      return { ...state, episodes: event.episodes, maxTurns: event.study.maxTurns };
    case 'episode-started':
      running.set(event.episode, beginning(event));
      return { ...state, running };
    case 'episode-resumed':
    case 'run-recorded':
      return state;
    case 'episode-taken-over':
      return withRunning(state, event.episode, ({ speakers }) => ({
        speakers: speakers.map((agent, role) => (role === event.role ? event.agent : agent)),
      }));
    case 'episode-finished':
      running.delete(event.episode);
      return {
        ...state,
        running,
        speaking: without(state.speaking, event.episode),
        finished: state.finished + 1,
      };
    case 'run-finished':
      return { ...state, ended: { failed: false } };
    case 'run-failed':
      return { ...state, ended: { failed: true, reason: event.reason } };
    case 'run-resumed':
      return { ...state, ended: undefined };
  }
}

export function viewToken(state: ViewState, token: Token): ViewState {
  const { episode, turn, agent } = token;
  const before = state.speaking.get(episode);
  const text = (before?.turn === turn ? before.text : '') + token.text;
  const speaking = new Map(state.speaking).set(episode, { turn, agent, text });
  const counted = withRunning(state, episode, ({ tokens }) => ({ tokens: tokens + 1 }));
  return { ...counted, tokens: state.tokens + 1, speaking };
}

export function viewUtterance(state: ViewState, utterance: Utterance): ViewState {
  const { episode, turn, finish } = utterance;
  const next = withRunning(state, episode, (was) => {
    const gone = was.gone + (finish === 'leave' ? 1 : 0);
    return { turns: turn + 1, gone, left: was.speakers.length - gone < 2 };
  });
  return { ...next, turns: state.turns + 1, speaking: without(state.speaking, episode) };
}

function without(speaking: ViewState['speaking'], episode: string): ViewState['speaking'] {
  const others = new Map(speaking);
  others.delete(episode);
  return others;
}

function beginning(event: Extract<RunEvent, { type: 'episode-started' }>): RunningView {
  const { scenario, condition, order: speakers } = event;
  return { scenario, condition, turns: 0, tokens: 0, speakers, gone: 0, left: false };
}

function withRunning(
  state: ViewState,
  episode: string,
  change: (was: RunningView) => Partial<RunningView>,
): ViewState {
  const was = state.running.get(episode);
  if (!was) return state;
  return { ...state, running: new Map(state.running).set(episode, { ...was, ...change(was) }) };
}

/** Share of the run that is done, from 0 to 1, counting turns of running episodes. */
export function progress(state: ViewState): number {
  if (state.episodes === 0) return 0;
  const begun = [...state.running.values()].reduce(
    (sum, { turns }) => sum + turns / Math.max(1, state.maxTurns),
    0,
  );
  return Math.min(1, (state.finished + begun) / state.episodes);
}
