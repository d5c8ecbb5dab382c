import { describe, expect, it } from 'vitest';
import { selectRows } from '../../../../src/analyzer/ingest/group-rows.ts';
import {
  emptyRunRows,
  takeFrameRows,
  type FrameWithOrigin,
  type RunRows,
} from '../../../../src/analyzer/ingest/run-rows.ts';
import { plantedEpisodes } from '../../../fixtures/planted/planted-frames.ts';

const SIZE = {
  run: 'r',
  scenarios: 8,
  turns: 8,
  layers: 2,
  dims: 4,
  textDims: 4,
  conditions: ['live'],
  coupling: 0,
  seed: 2,
};

function inputsOf(episodesPerScenario: number): FrameWithOrigin[] {
  return plantedEpisodes({ ...SIZE, episodesPerScenario }).flatMap(({ streams }) =>
    streams.flatMap((frames, role) =>
      frames.map((frame): FrameWithOrigin => ({
        origin: { stream: `s${role}`, epoch: 1, seq: frame.seq },
        frame,
      })),
    ),
  );
}

function fill(inputs: FrameWithOrigin[], maxRows?: number): RunRows {
  const run = emptyRunRows();
  for (const input of inputs) takeFrameRows(run, input, maxRows);
  return run;
}

function select(run: RunRows, maxRows?: number) {
  const group = [...run.groups.values()].find((of) => of.group.direction === 'first_to_second');
  return selectRows(group!, maxRows);
}

describe('the rows of a group', () => {
  it('are the same whatever the order of arrival', () => {
    const inputs = inputsOf(2);
    const backwards = select(fill(inputs.toReversed()));
    const forwards = select(fill(inputs));
    expect(backwards.rows).toEqual(forwards.rows);
    expect(backwards.pairs).toEqual(forwards.pairs);
  });

  it('above the row limit are whole episodes, and a dropped one never comes back', () => {
    const inputs = inputsOf(40);
    const whole = select(fill(inputs), Infinity);
    const sizes = [60, 120, 240].map((cap) => select(fill(inputs), cap));
    for (const [index, { rows, pairs, leftOut }] of sizes.entries()) {
      expect(pairs.n).toBeLessThanOrEqual([60, 120, 240][index]!);
      expect(pairs.n + leftOut).toBe(whole.pairs.n);
      for (const [episode, ids] of Object.entries(rows)) expect(ids).toEqual(whole.rows[episode]);
    }
    const kept = sizes.map(({ rows }) => Object.keys(rows));
    expect(kept[1]).toEqual(expect.arrayContaining(kept[0]!));
    expect(kept[2]).toEqual(expect.arrayContaining(kept[1]!));
  });

  it('above the row limit release their memory without changing what is selected', () => {
    const inputs = inputsOf(60);
    const run = fill(inputs, 200);
    expect(select(run, 200)).toEqual(select(fill(inputs, Infinity), 200));
    const turns = [...run.index.episodes()].flatMap(({ turns: of }) => [...of.values()]);
    const held = turns.filter(({ payload }) => payload.states.length > 0).length;
    expect(held).toBeLessThan(turns.length / 2);
  });

  it('of another shape are left out and counted', () => {
    const inputs = inputsOf(2);
    const odd = inputs.findIndex(({ frame }) => frame.type === 'turn');
    const { frame, ...about } = inputs[odd]!;
    if (frame.type !== 'turn') throw new Error('no turn');
    const shape: [1, number, number] = [1, 1, 8];
    inputs[odd] = { ...about, frame: { ...frame, layers: [1], shape } };
    const { pairs, leftOut } = select(fill(inputs));
    expect([pairs.n + leftOut, leftOut]).toEqual([select(fill(inputsOf(2))).pairs.n, 1]);
  });
});
