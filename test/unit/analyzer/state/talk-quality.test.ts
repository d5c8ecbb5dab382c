/** The quality of a group's talk, counted from the marks of turn frames in whatever order they arrive. */
import { describe, expect, it } from 'vitest';
import { createRowMemory } from '../../../../src/analyzer/ingest/row-memory.ts';
import { scoreReport } from '../../../../src/analyzer/state/run-report.ts';
import {
  createRunState,
  takeFrame,
  takeScore,
  type RunState,
} from '../../../../src/analyzer/state/run-state.ts';
import type { TalkMark } from '../../../../src/protocol/stream/frames.ts';
import type { TalkReport } from '../../../../src/protocol/reports/talk-report.ts';
import { plantedEpisodes, type PlantedFrame } from '../../../fixtures/planted/planted-frames.ts';

const SIZE = { run: 'r1', episodesPerScenario: 3, turns: 6, layers: 1, dims: 2, textDims: 2, seed: 1 };
const ADMISSION = { memory: createRowMemory(Infinity), refuse: () => undefined };
const COUNTS = { framesAccepted: 1, framesDurable: 1 };

/** The mark of each turn frame; `undefined` for a sender that sends none. */
type Marking = (episode: number, turn: number) => TalkMark | undefined;

function framesOf(mark: Marking, scenarios = 1): { stream: string; frame: PlantedFrame }[] {
  const episodes = plantedEpisodes({ ...SIZE, scenarios, conditions: ['live'], coupling: 0 });
  return episodes.flatMap(({ streams }, episode) =>
    streams.flatMap((frames, role) =>
      frames.map((frame) => {
        const talk = frame.type === 'turn' ? mark(episode, frame.turn) : undefined;
        return { stream: `s${role}`, frame: talk ? { ...frame, talk } : frame };
      }),
    ),
  );
}

function stateOf(frames: { stream: string; frame: PlantedFrame }[]): RunState {
  const state = createRunState('r1');
  for (const { stream, frame } of frames)
    takeFrame(
      state,
      { frame, origin: { stream, epoch: 1, seq: frame.seq }, arrivedMs: 0, nowMs: 0 },
      ADMISSION,
    );
  return state;
}

const talkOf = (state: RunState): (TalkReport | null)[] =>
  scoreReport(state, COUNTS).groups.map(({ talk }) => talk);

/** Every utterance of every episode is different, and has no fault. */
const good: Marking = (episode, turn) =>
  turn === 0 ? { dropped: 0 } : { dropped: 0, digest: 1 + episode * 100 + turn, cut: false };

describe('the quality of a talk', () => {
  it('counts the utterances between two states, and finds no fault with ordinary ones', () => {
    // Episodes of 6, 5 and 6 turns: utterances 0, 2, 4 and 1, 3 have a state before and after them.
    const none = {
      empty: 0,
      repeated: 0,
      copied: 0,
      identical: 0,
      cut: 0,
      shortened: 0,
      drops: 0,
      faults: [],
    };
    expect(talkOf(stateOf(framesOf(good)))).toEqual([
      { pairs: 8, ...none },
      { pairs: 6, ...none },
    ]);
  });

  it('counts empty and cut utterances of the speaker with which a direction begins', () => {
    const mark: Marking = (episode, turn) =>
      turn === 3 ? { dropped: 0, digest: 0, cut: true } : good(episode, turn);
    // Utterance 2 is the first speaker's.
    const [first, second] = talkOf(stateOf(framesOf(mark)));
    expect(first).toMatchObject({ pairs: 8, empty: 3, cut: 3, faults: [] });
    expect(second).toMatchObject({ pairs: 6, empty: 0, cut: 0, identical: 0 });
  });

  it('distinguishes what a speaker repeats from what it copies', () => {
    const repeats: Marking = (episode, turn) =>
      turn === 0
        ? good(episode, turn)
        : { dropped: 0, digest: 1 + episode * 10 + ((turn - 1) % 2), cut: false };
    const [first] = talkOf(stateOf(framesOf(repeats)));
    // Utterances 2 and 4 say what 0 said; of 8, those of the first turn are new.
    expect(first).toMatchObject({ repeated: 5, copied: 0, identical: 0, faults: ['repeated'] });
    const copies: Marking = (episode, turn) =>
      turn === 2 ? { dropped: 0, digest: 1 + episode * 100 + 1, cut: false } : good(episode, turn);
    const [, second] = talkOf(stateOf(framesOf(copies)));
    // Utterance 1 says what utterance 0 of the other one said.
    expect(second).toMatchObject({ repeated: 0, copied: 3, faults: ['copied'] });
  });

  it('finds episodes of a scenario that say the same at the same turn, and ignores those of another scenario', () => {
    const same: Marking = (_, turn) => good(0, turn);
    expect(talkOf(stateOf(framesOf(same)))[0]).toMatchObject({ identical: 8, faults: ['identical'] });
    // Of two scenarios in turn, each says its own.
    const byScenario: Marking = (episode, turn) => good(episode % 2, turn);
    expect(talkOf(stateOf(framesOf(byScenario, 2)))[0]).toMatchObject({ identical: 15, pairs: 15 });
    const onlyAcross: Marking = (episode, turn) => good(Math.floor(episode / 2), turn);
    expect(talkOf(stateOf(framesOf(onlyAcross, 2)))[0]).toMatchObject({ identical: 0 });
  });

  it('counts prompts without their oldest turns, and how often turns were dropped', () => {
    // The first speaker's prompt loses turns at its turns 2 and 4, in one episode.
    const mark: Marking = (episode, turn) => ({
      ...good(episode, turn),
      dropped: episode === 0 ? ([0, 0, 2, 0, 3, 0][turn] ?? 0) : 0,
    });
    const [first, second] = talkOf(stateOf(framesOf(mark)));
    expect(first).toMatchObject({ shortened: 2, drops: 2, faults: [] });
    expect(second).toMatchObject({ shortened: 2, drops: 2 });
  });

  it('is the same for every order in which frames arrive', () => {
    const mark: Marking = (episode, turn) => ({
      dropped: turn > 3 ? 1 : 0,
      ...(turn === 0 ? {} : { digest: (episode + turn) % 4, cut: turn % 2 === 0 }),
    });
    const frames = framesOf(mark, 2);
    const inOrder = talkOf(stateOf(frames));
    const state = createRunState('r1');
    for (const { stream, frame } of frames.toReversed()) {
      const origin = { stream, epoch: 1, seq: frame.seq };
      takeFrame(state, { frame, origin, arrivedMs: 0, nowMs: 0 }, ADMISSION);
      // What is counted in between must not stay.
      talkOf(state);
    }
    expect(talkOf(state)).toEqual(inOrder);
    expect(inOrder[0]?.pairs).toBeGreaterThan(0);
  });

  it('uses the mark of the later seating of a turn', () => {
    const frames = framesOf(good);
    const late = frames.flatMap(({ stream, frame }) =>
      frame.type === 'turn' && frame.turn === 1
        ? [{ stream, frame: { ...frame, seating: 1, talk: { dropped: 0, digest: 0, cut: false } } }]
        : [],
    );
    const state = stateOf(frames);
    expect(talkOf(state)[0]).toMatchObject({ empty: 0 });
    for (const { stream, frame } of late)
      takeFrame(state, { frame, origin: { stream, epoch: 1, seq: 9 }, arrivedMs: 0, nowMs: 0 }, ADMISSION);
    expect(talkOf(state)[0]).toMatchObject({ empty: 3 });
  });

  it('is null if turn frames carry no description of the utterance', () => {
    expect(talkOf(stateOf(framesOf(() => undefined)))).toEqual([null, null]);
  });
});

describe('the verdict on a score', () => {
  const strict = {
    score: 0.1,
    excess: 0.2,
    ciLow: 0.1,
    ciHigh: 0.3,
    pValue: 0.005,
    nullMean: -0.1,
    z: 9,
    permutations: 199,
    samples: 8,
  };
  const verdictOf = (mark: Marking): unknown => {
    const state = stateOf(framesOf(mark));
    const [group] = [...state.groups.values()];
    const rest = {
      method: { name: 'strict', version: 2 },
      replicates: null,
      leftOut: 0,
      rows: {},
      computedMs: 1,
    };
    const score = {
      type: 'score',
      run: 'r1',
      group: group!.group,
      version: group!.version,
      samples: 8,
    } as const;
    takeScore(state, { ...score, ...rest, seed: 1, paper: null, strict }, 1);
    const { groups } = scoreReport(state, COUNTS);
    return groups.find(({ direction }) => direction === group!.group.direction)?.verdict;
  };

  it('is "flagged" if at least half of the utterances are empty, and "counts" otherwise', () => {
    expect(verdictOf(good)).toBe('counts');
    const emptyAt =
      (last: number): Marking =>
      (episode, turn) =>
        turn > 0 && turn <= last ? { dropped: 0, digest: 0, cut: false } : good(episode, turn);
    // Of 8 utterances of the first speaker the first one of each of three episodes is empty; then the next one too.
    expect(verdictOf(emptyAt(1))).toBe('counts');
    expect(verdictOf(emptyAt(3))).toBe('flagged');
  });

  it('is "counts" if the prompts lost turns, which only gives a note', () => {
    expect(verdictOf((episode, turn) => ({ ...good(episode, turn), dropped: turn }))).toBe('counts');
  });
});
