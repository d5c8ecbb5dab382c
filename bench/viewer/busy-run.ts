/** A run in which many dyads speak at once: its folder is written and its tokens are published as agents would. */
import { connect, type NatsConnection } from 'nats';
import { setTimeout as delay } from 'node:timers/promises';
import { subjects } from '../../src/protocol/subjects.ts';
import {
  appendLines,
  episodeName,
  scoreLine,
  utteranceLine,
  writeRunFolder,
} from '../../test/fixtures/viewer/run-folder.ts';

interface BusyPlan {
  runs: string;
  run: string;
  natsUrl: string;
  dyads: number;
  /** Of each dyad. */
  tokensPerSecond: number;
  /** Episodes that are over before the first word. */
  before: number;
}

interface Spoken {
  tokens: number;
  utterances: number;
  scores: number;
}

interface BusyRun {
  readonly spoken: Spoken;
  stop(): Promise<void>;
}

const TURNS = 12;
const TOKENS_A_TURN = 30;
const TICK_MS = 50;
const SCORES_MS = 1000;
const ORDER = ['ada', 'ben'];
const CONDITIONS = ['live', 'monologue'];

interface Dyad {
  episode: string;
  turn: number;
  token: number;
}

/** Begins to speak; it goes on until it is stopped. */
export async function startBusyRun(plan: BusyPlan): Promise<BusyRun> {
  const { runs, run, before, dyads: count } = plan;
  const size = { episodes: before + count, turns: TURNS, openFrom: before, isFinished: false, isAlive: true };
  const folder = await writeRunFolder(runs, { run, ...size });
  const user = { user: 'coordinator', pass: 'coordinator-secret', inboxPrefix: '_INBOX_coordinator' };
  const nats = await connect({ servers: plan.natsUrl, ...user });
  const state: State = {
    nats,
    folder,
    run,
    next: before + count,
    spoken: { tokens: 0, utterances: 0, scores: 0 },
    // They are not all at the same turn, nor at the same word.
    dyads: Array.from({ length: count }, (_, at) => ({
      episode: episodeName(before + at),
      turn: TURNS - 1,
      token: at % TOKENS_A_TURN,
    })),
  };
  const until = { isOver: false };
  const talking = talk(state, plan, until);
  const scoring = score(state, until);
  return {
    spoken: state.spoken,
    stop: async () => {
      until.isOver = true;
      await Promise.all([talking, scoring]);
      await nats.close();
    },
  };
}

interface State {
  nats: NatsConnection;
  folder: string;
  run: string;
  next: number;
  spoken: Spoken;
  dyads: Dyad[];
}

async function talk(state: State, { tokensPerSecond }: BusyPlan, until: { isOver: boolean }): Promise<void> {
  const started = performance.now();
  for (let tokens = 0; !until.isOver; await delay(TICK_MS)) {
    const due = Math.floor(((performance.now() - started) / 1000) * tokensPerSecond);
    const words: object[] = [];
    const events: object[] = [];
    for (; tokens < due; tokens += 1) for (const dyad of state.dyads) speak(state, dyad, { words, events });
    if (words.length > 0) await appendLines(state.folder, 'transcript.jsonl', words);
    if (events.length > 0) await appendLines(state.folder, 'events.jsonl', events);
  }
}

interface Lines {
  words: object[];
  events: object[];
}

function speak(state: State, dyad: Dyad, { words, events }: Lines): void {
  const { episode, turn } = dyad;
  const agent = ORDER[turn % 2] ?? '';
  const step = dyad.token;
  const token = { episode, turn, agent, step, text: ` word${step}`, byte0: step * 7, byte1: step * 7 + 7 };
  state.nats.publish(subjects.token(state.run, episode, agent), JSON.stringify(token));
  state.spoken.tokens += 1;
  dyad.token += 1;
  if (dyad.token < TOKENS_A_TURN) return;
  const text = Array.from({ length: TOKENS_A_TURN }, (_, at) => `word${at}`).join(' ');
  words.push(utteranceLine({ episode, turn, text }));
  state.spoken.utterances += 1;
  Object.assign(dyad, { turn: turn + 1, token: 0 });
  if (turn + 1 < TURNS) return;
  events.push({ type: 'episode-finished', episode, turns: TURNS, finish: 'turns', atMs: Date.now() });
  Object.assign(dyad, { episode: episodeName(state.next), turn: 0 });
  const condition = CONDITIONS[state.next % 2];
  const place = { scenario: 'shop', condition, order: ORDER, seed: 1, atMs: Date.now() };
  events.push({ type: 'episode-started', episode: dyad.episode, ...place });
  state.next += 1;
}

/** A score of each group every second. */
async function score(state: State, until: { isOver: boolean }): Promise<void> {
  for (let samples = 100; !until.isOver; samples += 1) {
    const lines = CONDITIONS.flatMap((condition) =>
      [1, 2].map((sourceRole) => {
        const excess = condition === 'live' ? 0.25 + 0.05 * Math.sin(samples / 9) : 0.001;
        return scoreLine({ condition, sourceRole, samples, excess, provisional: true });
      }),
    );
    await appendLines(state.folder, 'scores.jsonl', lines);
    state.spoken.scores += lines.length;
    await delay(SCORES_MS);
  }
}
