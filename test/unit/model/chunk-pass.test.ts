import { describe, expect, it } from 'vitest';
import { chooseChunks } from '../../../src/model/runtime/chunk-pass.ts';
import { createDialogueCache } from '../../../src/model/runtime/dialogue-cache.ts';
import type { RowInput } from '../../../src/model/runtime/run-rows.ts';

const LIMITS = { rows: 8, segment: 256 };

function chunk(held: number, tokens: number): RowInput {
  return { cache: createDialogueCache([], { data: [], length: held }), ids: Array<number>(tokens).fill(7) };
}

/** @returns the places of those chosen among the chunks [held, tokens] */
function choose(chunks: readonly [held: number, tokens: number][], limits = LIMITS): number[] {
  const waiting = chunks.map(([held, tokens]) => chunk(held, tokens));
  return chooseChunks(waiting, limits).map((chosen) => waiting.indexOf(chosen));
}

describe('chunks that share a pass', () => {
  it('may differ in what they hold and in length, within a segment and a multiple of 16', () => {
    expect(
      choose([
        [0, 8],
        [200, 11],
        [33, 2],
        [100, 17],
      ]),
    ).toEqual([0, 1, 2]);
  });

  it('are of dialogues whose new tokens belong to the same segment of 256 positions', () => {
    expect(
      choose([
        [100, 8],
        [300, 8],
        [240, 8],
        [500, 8],
      ]),
    ).toEqual([0, 2]);
    expect(
      choose([
        [300, 8],
        [100, 8],
        [241, 8],
        [496, 8],
        [497, 8],
      ]),
    ).toEqual([0, 2, 3]);
  });

  it('have no more than 64 tokens together, padding included', () => {
    expect(choose(Array.from({ length: 9 }, () => [0, 8] as [number, number]))).toHaveLength(8);
    expect(
      choose([
        [0, 8],
        [0, 8],
        [0, 8],
        [0, 8],
        [0, 16],
        [0, 12],
        [0, 8],
      ]),
    ).toEqual([0, 1, 2, 3, 5]);
    expect(
      choose([
        [0, 64],
        [0, 60],
      ]),
    ).toEqual([0]);
  });

  it('are at most as many as were probed, and the first is always one of them', () => {
    const many = Array.from({ length: 5 }, () => [40, 3] as [number, number]);
    expect(choose(many, { ...LIMITS, rows: 3 })).toEqual([0, 1, 2]);
    expect(
      choose(
        [
          [900, 300],
          [0, 8],
        ],
        { ...LIMITS, rows: 1 },
      ),
    ).toEqual([0]);
  });
});
