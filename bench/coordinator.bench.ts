/**
 * The coordinator's time for a message, and for a restart, in plans of different lengths: the state that is kept up to
 * date beside one that looks through the whole plan.
 */
import * as decisions from '../src/coordinator/state/decide.ts';
import * as states from '../src/coordinator/state/run-state.ts';
import * as slow from '../test/fixtures/coordinator/slow-run-state.ts';
import { AT_ONCE, begun, finished, planRun, type Message } from './coordinator/planned-run.ts';
import { restart, restartAlone } from './coordinator/stored-run.ts';

export const title = 'The coordinator: a message and a restart, by planned episodes';

const SIZES = [400, 4000, 40_000];
/** Episodes whose messages are timed, in the middle of the run. */
const TIMED = { quick: 160, slow: 32 };
/** How many of those before are told to the twin, which takes minutes for all of them. */
const TOLD_TWIN = 32;
const ROUNDS = 5;

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const rows: string[][] = [];
  const first = { quick: 0, slow: 0 };
  for (const episodes of SIZES) {
    const quick = perMessage(quickWay, episodes);
    const whole = perMessage(slowWay, episodes);
    first.quick ||= quick;
    first.slow ||= whole;
    const alone = await restartAlone(episodes);
    const before = (2 * alone.messages * whole) / 1e6;
    const fromNats = await restart(episodes);
    rows.push([
      String(episodes),
      `${whole.toFixed(0)} µs`,
      `${quick.toFixed(0)} µs`,
      (whole / first.slow).toFixed(1),
      (quick / first.quick).toFixed(1),
      String(alone.messages),
      `≈ ${before.toFixed(0)} s`,
      `${alone.seconds.toFixed(1)} s`,
      `${((1e6 * alone.seconds) / alone.messages).toFixed(0)} µs`,
      `${fromNats.toFixed(1)} s`,
      `${((1e6 * fromNats) / alone.messages).toFixed(0)} µs`,
    ]);
  }
  return {
    table: [
      [
        'planned episodes',
        'a message, whole plan',
        'a message, kept up to date',
        'whole plan, against the first row',
        'kept up to date, against the first row',
        'messages of the run',
        'restart alone, whole plan',
        'restart alone, kept up to date',
        'the same for each message',
        'restart from nats-server',
        'the same for each message',
      ],
      ...rows,
    ],
    notes: [
      `Processor time of the state alone, in the middle of the run, sixteen episodes at once: the message is reduced, episodes and turns are counted, and what is to be done is decided. Median of ${ROUNDS} rounds. Whole plan: the twin of the tests (test/fixtures/coordinator/slow-run-state.ts), which is how it was before.`,
      'Restart alone: the coordinator’s own part of reading every message of a finished run twice, as it does, the second time with its metrics and the run folder; wall clock. Whole plan: by calculation from the second column, without the folder.',
      'Restart from nats-server: the same with a real nats-server 2.9, wall clock.',
    ],
  };
}

/** One of the two ways to keep the state of a run. */
interface Way<State> {
  timed: number;
  /** Episodes before those, at most. */
  told: number;
  begin(episodes: number): State;
  take(state: State, message: Message): State;
  look(state: State): unknown;
}

const quickWay: Way<states.RunState> = {
  timed: TIMED.quick,
  told: Infinity,
  begin: (episodes) => {
    const { plan, study } = planRun(episodes);
    return states.initialState(plan, study.maxTurns);
  },
  take: (state, message) =>
    'type' in message ? states.reduceEvent(state, message) : states.reduceUtterance(state, message),
  look: (state) => [
    decisions.countEpisodes(state),
    decisions.countTurns(state),
    decisions.decide(state, () => AT_ONCE).map(decisions.nameOf),
  ],
};

const slowWay: Way<slow.SlowState> = {
  timed: TIMED.slow,
  told: TOLD_TWIN,
  begin: (episodes) => {
    const { plan, study } = planRun(episodes);
    return slow.initialState(plan, study.maxTurns);
  },
  take: (state, message) =>
    'type' in message ? slow.reduceEvent(state, message) : slow.reduceUtterance(state, message),
  look: (state) => [
    slow.countEpisodes(state),
    slow.countTurns(state),
    slow.decide(state, () => AT_ONCE).map((command) => JSON.stringify(command)),
  ],
};

/** Microseconds of processor time for a message in the middle of a run. */
function perMessage<State>(way: Way<State>, episodes: number): number {
  const { study, plan, steps } = planRun(episodes);
  const middle = episodes / 2;
  const before = Math.min(middle, way.told);
  let state = way.take(way.begin(episodes), begun(study, episodes));
  for (const { id } of plan.slice(middle - before, middle)) state = way.take(state, finished(id));
  const messages = [...steps(middle, Math.min(middle + way.timed, episodes))].flatMap(
    (step) => step.messages,
  );
  const rounds = Array.from({ length: ROUNDS }, () => {
    let now = state;
    const since = process.cpuUsage();
    for (const message of messages) {
      now = way.take(now, message);
      way.look(now);
    }
    const { user, system } = process.cpuUsage(since);
    return (user + system) / messages.length;
  });
  return rounds.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? NaN;
}
