/** Which histories the analyzer makes of branch frames, whatever order they come in. */
import { describe, expect, it } from 'vitest';
import { createBranchIndex, type HistoryUpdate } from '../../../../src/analyzer/branches/branch-index.ts';
import {
  createBranchState,
  allHistories,
  branchReportOf,
  takeBranchFrame,
} from '../../../../src/analyzer/branches/branch-state.ts';
import { branchesOf, selectBranches } from '../../../../src/analyzer/branches/branch-rows.ts';
import { createRowMemory } from '../../../../src/analyzer/ingest/row-memory.ts';
import {
  READER_SEATING,
  type BranchFrame,
  type EpisodeFrame,
} from '../../../../src/protocol/stream/frames.ts';
import { seededRandom, shuffled } from '../../../../src/numeric/random.ts';
import { plantedBranches } from '../../../fixtures/planted/planted-branches.ts';
import {
  plantedBranchFrames,
  type BranchRunOptions,
} from '../../../fixtures/planted/planted-branch-frames.ts';

const WORLD: BranchRunOptions = {
  run: 'r1',
  condition: 'live',
  kind: 'moved',
  seed: 2,
  scenarios: 2,
  episodes: 2,
  turns: 2,
  alternatives: 3,
  dims: 4,
  layers: 2,
};

interface Sent {
  frame: EpisodeFrame | BranchFrame;
  origin: { stream: string; epoch: number; seq: number };
}

/** Of both agents, each stream in its own order. */
const sent = (options: BranchRunOptions): Sent[] =>
  plantedBranchFrames(options).flatMap((frames, role) =>
    frames.map((frame) => ({ frame, origin: { stream: `agent-${role}`, epoch: 1, seq: frame.seq } })),
  );

/** The frames of turn 0 as those of turn 1, in which the other agent speaks. */
function exchanged(frames: readonly Sent[]): Sent[] {
  const episodes = frames.filter(({ frame }) => frame.type === 'episode');
  const alternatives = frames.flatMap(({ frame, origin }): Sent[] => {
    if (frame.type === 'episode' || frame.turn !== 0) return [];
    const stream = origin.stream === 'agent-0' ? 'agent-1' : 'agent-0';
    return [{ frame: { ...frame, turn: 1 }, origin: { ...origin, stream } }];
  });
  return [...episodes, ...alternatives];
}

function histories(frames: readonly Sent[]): HistoryUpdate[] {
  const index = createBranchIndex();
  for (const { frame, origin } of frames)
    if (frame.type === 'episode') index.addEpisode(frame, origin.stream);
    else index.addBranch(frame, origin);
  return index.all();
}

const named = (found: readonly HistoryUpdate[]): string[] =>
  found
    .map(({ group, history }) => {
      const ks = history.alternatives.map(({ k }) => k).join('');
      return `${group.sourceRole}>${group.targetRole} ${history.episode} ${history.turn} ${ks}`;
    })
    .sort();

const WHOLE = ['e0', 'e1', 'e2', 'e3'].flatMap((e) => [`1>2 live-${e} 0 012`, `1>2 live-${e} 2 012`]);

describe('the index of branches, of versions with a moved state', () => {
  /** Turns of two versions with other words, and of two at each size, k from 2 on. */
  const patched = (size: number, from: number, frames = sent({ ...WORLD, alternatives: 2 })): Sent[] =>
    frames.flatMap(({ frame, origin }) => {
      if (frame.type === 'episode' || ['mean', 'bystander'].includes(frame.state)) return [];
      const state = frame.state === 'end' ? 'coefficients' : frame.state;
      const moved = { ...frame, kind: 'perturbation', layer: 2, size, state, k: frame.k + from };
      return [{ frame: moved, origin: { ...origin, seq: origin.seq + 1000 * from } }];
    });
  const whole = (): Sent[] => [...sent({ ...WORLD, alternatives: 2 }), ...patched(1, 2), ...patched(0.5, 4)];
  const of = (found: readonly HistoryUpdate[]): string[] =>
    found
      .filter(({ history }) => history.episode === 'live-e0' && history.turn === 0)
      .map(
        ({ history: { patch, alternatives } }) => `${patch?.size} ${alternatives.map(({ k }) => k).join('')}`,
      )
      .sort();

  it('makes a history of each size besides that of other words, in any order of the frames', () => {
    expect(of(histories(whole()))).toEqual(['0.5 45', '1 23', 'undefined 01']);
    const [episodes, others] = [true, false].map((first) =>
      whole().filter(({ frame }) => (frame.type === 'episode') === first),
    ) as [Sent[], Sent[]];
    for (let seed = 0; seed < 3; seed++)
      expect(of(histories([...episodes, ...shuffled(others, seededRandom(seed))]))).toEqual([
        '0.5 45',
        '1 23',
        'undefined 01',
      ]);
  });

  it('knows of exchanged states whose they are, and gives other words the states before speech, whatever comes first', () => {
    const frames = patched(1, 2).flatMap(({ frame, origin }): Sent[] => {
      if (frame.type === 'episode') return [];
      const state = frame.state === 'coefficients' ? 'delta' : frame.state;
      const { size: _, ...rest } = { ...frame, kind: 'interchange', state, donor: `d${frame.k}` };
      const before = { ...rest, state: 'before', k: 0, layers: [2, 1], layer: undefined, donor: undefined };
      const is = { frame: rest as BranchFrame, origin };
      return state === 'delta' && frame.k === 2
        ? [{ frame: before as unknown as BranchFrame, origin: { ...origin, seq: origin.seq + 9e5 } }, is]
        : [is];
    });
    const all = sent({ ...WORLD, alternatives: 2 });
    const episodes = all.filter(({ frame }) => frame.type === 'episode');
    const others = [...all.filter(({ frame }) => frame.type !== 'episode'), ...frames];
    for (let seed = 0; seed < 3; seed++) {
      const found = histories([...episodes, ...shuffled(others, seededRandom(seed))]).filter(
        ({ history }) => history.episode === 'live-e0' && history.turn === 0,
      );
      const told = found.map(({ history: { patch, before, alternatives } }) => [
        patch ? `${patch.kind} ${patch.layer} ${patch.size}` : 'words',
        before?.layers,
        alternatives.map(({ k, donor }) => `${k} ${donor}`),
      ]);
      expect(told.toSorted((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual([
        ['interchange 2 undefined', undefined, ['2 d2', '3 d3']],
        ['words', [2, 1], ['0 undefined', '1 undefined']],
      ]);
    }
  });

  it.each(['coefficients', 'reply'])('waits for a version of which only the state %s is missing', (state) => {
    const without = whole().filter(
      ({ frame }) => !(frame.type === 'branch' && frame.state === state && frame.k === 3 && frame.turn === 0),
    );
    expect(of(histories(without))).toEqual(['0.5 45', 'undefined 01']);
  });

  it('takes no kind that it does not know, no move without layer and size, and not any number of sizes', () => {
    const changed = (change: object): Sent[] =>
      whole().map(({ frame, origin }) => ({
        frame: frame.type === 'branch' && frame.kind !== 'alternative' ? { ...frame, ...change } : frame,
        origin,
      }));
    expect(of(histories(changed({ kind: 'noise' })))).toEqual(['undefined 01']);
    expect(of(histories(changed({ layer: undefined })))).toEqual(['undefined 01']);
    const many = Array.from({ length: 100 }, (_, i) => patched(i + 1, 2 + 2 * i)).flat();
    const found = histories([...sent({ ...WORLD, alternatives: 2 }), ...many]);
    expect(of(found)).toHaveLength(64 + 1);
  });

  it('counts turns and versions of other words alone, and lets each size have its share of the cap', () => {
    const state = createBranchState();
    const memory = createRowMemory(2 ** 30);
    for (const { frame, origin } of whole())
      takeBranchFrame(state, { run: 'r1', frame, origin }, { memory, refuse: () => undefined });
    const [{ group }] = histories(whole()) as [HistoryUpdate];
    expect(branchReportOf(state, group.key)).toMatchObject({ histories: 8, branches: 16 });
  });
});

describe('the index of branches', () => {
  it('makes a history of every branched turn that both sides have sent, in any order of the frames', () => {
    expect(named(histories(sent(WORLD)))).toEqual(WHOLE);
    const [episodes, others] = [true, false].map((first) =>
      sent(WORLD).filter(({ frame }) => (frame.type === 'episode') === first),
    ) as [Sent[], Sent[]];
    for (let seed = 0; seed < 5; seed++)
      expect(named(histories([...episodes, ...shuffled(others, seededRandom(seed))]))).toEqual(WHOLE);
  });

  it('gives the numbers that were sent', () => {
    const found = histories(sent(WORLD)).map(({ history }) => history);
    const all = selectBranches({
      histories: new Map(found.map((history) => [`${history.episode} ${history.turn}`, history])),
    });
    const { branches } = plantedBranches(WORLD);
    const read = branchesOf(all.histories);
    for (const side of ['source', 'target', 'bystander'] as const)
      for (const [layer, m] of branches[side].entries())
        expect(read[side][layer]?.data).toEqual(Float64Array.from(Float32Array.from(m.data)));
    expect(read.words.data[6 * 0 + 1]).toBeCloseTo(branches.words.data[1] as number, 6);
    expect(all.layers).toEqual({ source: [1, 2], target: [1, 2] });
  });

  it.each(['end', 'reply'])('waits for an alternative of which only the state %s is missing', (state) => {
    const without = sent(WORLD).filter(
      ({ frame }) => !(frame.type === 'branch' && frame.state === state && frame.k === 2 && frame.turn === 0),
    );
    expect(named(histories(without))).toEqual(WHOLE.filter((name) => !name.endsWith(' 0 012')));
  });

  it('takes the frame of the later seating, and of it that of the later life', () => {
    const twice = sent(WORLD);
    const [reply] = twice.filter(
      ({ frame }) => frame.type === 'branch' && frame.state === 'reply' && frame.k === 0,
    );
    const { frame, origin } = reply as Sent & { frame: BranchFrame };
    const other = { ...frame, data: new Uint8Array(frame.data.length) };
    const first = (found: HistoryUpdate[]) =>
      found[0]?.history.alternatives[0]?.reply.states.every((byte) => byte === 0);
    expect(first(histories([...twice, { frame: other, origin: { ...origin, epoch: 2 } }]))).toBe(true);
    expect(
      first(histories([...twice, { frame: { ...other, seating: 1 }, origin: { ...origin, epoch: 0 } }])),
    ).toBe(true);
    expect(first(histories([...twice, { frame: other, origin: { ...origin, epoch: 0 } }]))).toBe(false);
  });

  it('has a reader as target only', () => {
    const read = sent({ ...WORLD, condition: 'reader', seating: READER_SEATING });
    expect(named(histories(read))).toHaveLength(8);
    // the same agent says alternatives as well, at turn 1
    expect(named(histories([...read, ...exchanged(read)])).filter((name) => name.startsWith('2>1'))).toEqual(
      [],
    );
  });

  it('has none of the role of a reader as source, though nothing of the reader has come yet', () => {
    const talk = (condition: string) => exchanged(sent({ ...WORLD, condition }));
    expect(named(histories(talk('live'))).filter((name) => name.startsWith('2>1'))).not.toEqual([]);
    expect(named(histories(talk('reader'))).filter((name) => name.startsWith('2>1'))).toEqual([]);
  });

  it('leaves frames of a stream without an episode, and of other kinds, out', () => {
    const branches = sent(WORLD).filter(({ frame }) => frame.type === 'branch');
    expect(histories(branches)).toEqual([]);
    const others = sent(WORLD).map(({ frame, origin }) => ({
      frame: frame.type === 'branch' ? { ...frame, kind: 'perturbation' } : frame,
      origin,
    }));
    expect(histories(others)).toEqual([]);
  });
});

describe('the branches of a run', () => {
  const admission = (maxBytes: number) => ({
    memory: createRowMemory(maxBytes),
    refuse: () => 'Not scored: no memory.',
  });

  it('count what they keep, give all of it back, and take it back from the recording', () => {
    const state = createBranchState();
    const { memory, refuse } = admission(Infinity);
    const frames = sent(WORLD);
    for (const of of frames) takeBranchFrame(state, { run: 'r1', ...of }, { memory, refuse });
    const held = memory.heldBytes();
    // 24 alternatives: three states of 2 × 4 float32 each, and the words of one
    expect(held).toBe(24 * (3 * 32 + 4096 * 4));
    const before = named(state.index.all());
    memory.give('r1', state.index.drop());
    expect([memory.heldBytes(), allHistories(state, 'r1')]).toEqual([0, []]);
    for (const { frame, origin } of frames)
      if (frame.type === 'branch') memory.take('r1', state.index.takeBack(frame, origin));
    expect([memory.heldBytes(), named(state.index.all())]).toEqual([held, before]);
    expect(allHistories(state, 'r1')[0]?.version).toBe([...state.groups.values()][0]?.version);
  });

  it('are refused with a reason once the memory for rows is full', () => {
    const state = createBranchState();
    const at = ({ frame }: Sent): number => (frame.type === 'branch' ? Number(frame.tNs) : -1);
    const frames = sent(WORLD).sort((a, b) => at(a) - at(b));
    const given = admission(200_000);
    for (const of of frames) takeBranchFrame(state, { run: 'r1', ...of }, given);
    expect(given.memory.heldBytes()).toBeLessThan(240_000);
    const [key] = state.groups.keys();
    expect(branchReportOf(state, key ?? '')?.reason).toBe('Not scored: no memory.');
  });
});

it('asks no more alternatives of a turn than some speaker and listener both have', () => {
  const frames = sent(WORLD);
  const first = frames.find(({ frame }) => frame.type === 'branch' && frame.state === 'end') as Sent;
  const lone: Sent = {
    frame: { ...(first.frame as BranchFrame), turn: 4, k: 60 },
    origin: { ...first.origin, seq: 9999 },
  };
  const found = histories([...frames, lone]);
  expect(found.length).toBeGreaterThan(0);
  expect(found.filter(({ history }) => history.alternatives.length !== history.most)).toEqual([]);
});
