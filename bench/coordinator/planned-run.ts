/** A run of as many episodes as asked for, as its stream holds it: sixteen at once, four turns each. */
import { planEpisodes, type PlannedEpisode } from '../../src/coordinator/plan.ts';
import type { RunEvent, Utterance } from '../../src/protocol/nats-messages.ts';
import { studySchema, type Study } from '../../src/protocol/study.ts';

export const AT_ONCE = 16;
export const RUN = 'planned';
const TURNS = 4;
const AGENTS = ['ada', 'ben'];

export type Message = RunEvent | Utterance;

export interface PlannedRun {
  study: Study;
  plan: readonly PlannedEpisode[];
  /** What each user publishes, in order; the next step follows what the one before has stored. */
  steps(from: number, to: number): Iterable<{ user: string; messages: Message[] }>;
}

export function planRun(episodes: number): PlannedRun {
  const words = (what: string): string =>
    `I am fond of ${what}, and I have been for a good many years by now.`;
  const people = ['dogs', 'drums'].map((what) => ({
    persona: words(what),
    goal: words('peace'),
    secret: words('cards'),
  }));
  const ids = ['stairs', 'shop', 'train', 'park'];
  const conditions = ['live', 'monologue'];
  const study = studySchema.parse({
    name: 'planned',
    pairs: [AGENTS],
    scenarios: ids.map((id) => ({ id, text: words(id), people })),
    conditions,
    episodes: episodes / ids.length / conditions.length,
    maxTurns: TURNS,
  });
  const plan = planEpisodes(study);
  return { study, plan, steps: (from, to) => stepsOf(plan, from, to) };
}

function* stepsOf(plan: readonly PlannedEpisode[], from: number, to: number) {
  for (let first = from; first < to; first += AT_ONCE) {
    const together = plan.slice(first, Math.min(first + AT_ONCE, to));
    yield { user: 'coordinator', messages: together.map(started) };
    for (let turn = 0; turn < TURNS; turn += 1) {
      const agent = AGENTS[turn % 2] ?? '';
      yield { user: `agent-${agent}`, messages: together.map(({ id }) => said(id, turn, agent)) };
    }
    yield { user: 'coordinator', messages: together.map(({ id }) => finished(id)) };
  }
}

export const begun = (study: Study, episodes: number): RunEvent => ({
  type: 'run-started',
  run: RUN,
  study,
  episodes,
  atMs: 0,
});

function started({ id, scenario, condition, order, seed }: PlannedEpisode): RunEvent {
  const about = { scenario: scenario.id, condition, order, seed, maxTurns: TURNS };
  return { type: 'episode-started', episode: id, ...about, atMs: 0 };
}

export const finished = (episode: string): RunEvent => ({
  type: 'episode-finished',
  episode,
  turns: TURNS,
  finish: 'turns',
  atMs: 0,
});

function said(episode: string, turn: number, agent: string): Utterance {
  const place = { stream: agent, epoch: 1, lastSeq: turn };
  const text = 'I would rather have gone to the park, if you had asked me this morning.';
  return { episode, turn, agent, text, finish: 'stop', tokens: 16, droppedTurns: 0, ...place };
}
