import { describe, expect, it } from 'vitest';
import { selectRows } from '../../../../src/analyzer/ingest/group-rows.ts';
import { emptyRunRows, takeFrameRows } from '../../../../src/analyzer/ingest/run-rows.ts';
import { decodeMessage, encodeMessage } from '../../../../src/protocol/stream/codec.ts';
import type { EpisodeFrame, TurnFrame } from '../../../../src/protocol/stream/frames.ts';
import { episodeFrame, turnFrame } from '../../../fixtures/recordings/recording-fixture.ts';

/** The third person's state: 100 more than the speaker's. */
const read = (turn: number): Uint8Array => {
  const values = Float32Array.from({ length: 8 }, (_, i) => 100 + turn + i / 8);
  return new Uint8Array(values.buffer);
};

function rowsOf(condition: string, reader: boolean): Map<string, { source: number[]; target: number[] }> {
  const run = emptyRunRows();
  const frames: (EpisodeFrame | TurnFrame)[] = [{ ...episodeFrame(0, 0), condition }];
  for (let turn = 0; turn < 5; turn++)
    frames.push({ ...turnFrame(turn + 1, turn), ...(reader ? { reader: read(turn) } : {}) });
  for (const frame of frames)
    takeFrameRows(run, {
      frame: decodeMessage(encodeMessage(frame)) as EpisodeFrame | TurnFrame,
      origin: { stream: 'ada', epoch: 1, seq: frame.seq },
    });
  const found = new Map<string, { source: number[]; target: number[] }>();
  for (const group of run.groups.values()) {
    const { source, target, n } = selectRows(group).pairs;
    const firsts = (data: Float64Array | undefined): number[] =>
      Array.from({ length: n }, (_, row) => data?.[row * 4] as number);
    found.set(group.group.direction, { source: firsts(source[0]?.data), target: firsts(target[0]?.data) });
  }
  return found;
}

describe('turn pairs of paper-reader', () => {
  it('predict with the third person’s state in both directions, and predict the speaker’s', () => {
    const rows = rowsOf('paper-reader', true);
    expect(rows.get('first_to_second')).toEqual({ source: [100, 102], target: [1, 3] });
    expect(rows.get('second_to_first')).toEqual({ source: [101, 103], target: [2, 4] });
  });

  it('of other conditions predict with the speaker’s own', () => {
    expect(rowsOf('live', true).get('first_to_second')).toEqual({ source: [0, 2], target: [1, 3] });
  });

  it('predict with nothing without the third person’s state: the speaker’s own never takes its place', () => {
    for (const { source } of rowsOf('paper-reader', false).values())
      expect(source).toEqual([undefined, undefined]);
  });

  it('are refused where the third person’s state has another size', () => {
    const frame = { ...turnFrame(1, 0), reader: new Uint8Array(12) };
    expect(() => decodeMessage(encodeMessage(frame))).toThrow('The field "reader" of a turn message');
  });
});
