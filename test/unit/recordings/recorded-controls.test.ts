/** Controls of steps in a recording, beside what the same agent heard. */
import { describe, expect, it } from 'vitest';
import { createRecordedControls } from '../../../src/recordings/recorded-controls.ts';
import type { RunEvent } from '../../../src/protocol/nats-messages.ts';
import type { StepsFrame } from '../../../src/protocol/stream/frames.ts';
import { packTensor } from '../../../src/protocol/stream/tensor.ts';

type Range = [start: number, end: number];

function stepsOf(role: StepsFrame['role'], turn: number, bytes: Range[]): StepsFrame {
  const episode = 'e0002';
  const shape: StepsFrame['shape'] = [bytes.length, 1, 1];
  const tensor = packTensor(new Float32Array(bytes.length), 'f32');
  return {
    type: 'steps',
    seq: 0,
    episode,
    turn,
    step0: 0,
    role,
    bytes,
    layers: [1],
    shape,
    tNs: 0,
    ...tensor,
  };
}

const begun = (episode: string, control?: string): RunEvent => ({
  type: 'episode-started',
  episode,
  scenario: 'x',
  condition: 'live',
  order: ['ada', 'ben'],
  seed: 1,
  atMs: 0,
  ...(control === undefined ? {} : { control }),
});
const EVENTS = [begun('e0001'), begun('e0002', 'e0001')];

function reportOf(frames: readonly StepsFrame[], events: readonly RunEvent[] = EVENTS) {
  const controls = createRecordedControls();
  for (const frame of frames) controls.take({ stream: 'ben', epoch: 1 }, frame);
  return controls.report(events);
}

const WORDS: Range[] = [
  [0, 3],
  [3, 7],
];

describe('recorded controls', () => {
  it('are counted where they cover the words that were heard, and a later frame replaces an earlier one', () => {
    const frames = [
      stepsOf('listen', 0, [[0, 3]]),
      stepsOf('listen', 0, [[3, 5]]),
      stepsOf('listen', 0, [[3, 7]]),
      stepsOf('control', 0, WORDS),
      stepsOf('listen', 2, WORDS),
    ];
    expect(reportOf(frames)).toEqual({ read: 1, unread: 1, faults: [] });
  });

  it('may be cut short by a crash, and are not counted then', () => {
    const frames = [stepsOf('listen', 0, WORDS), stepsOf('control', 0, WORDS.slice(0, 1))];
    expect(reportOf(frames)).toEqual({ read: 0, unread: 1, faults: [] });
  });

  it('are a fault where they cover other words, or nothing was heard', () => {
    const other = [
      stepsOf('listen', 0, WORDS),
      stepsOf('control', 0, [[0, 4]]),
      stepsOf('control', 2, WORDS),
    ];
    expect(reportOf(other)?.faults).toEqual([
      'turn 0 of e0002: ben has steps of role control for other words than it heard',
      'turn 2 of e0002: ben has steps of role control for other words than it heard',
    ]);
  });

  it('are a fault in an episode that was planned without', () => {
    const frames = [stepsOf('listen', 0, WORDS), stepsOf('control', 0, WORDS)].map((frame) => ({
      ...frame,
      episode: 'e0001',
    }));
    expect(reportOf(frames)?.faults).toEqual([
      'turn 0 of e0001: ben has steps of role control, and the episode was planned without',
    ]);
  });

  it('are no part of the report of a run without them', () => {
    expect(reportOf([stepsOf('listen', 0, WORDS)], [begun('e0001')])).toBeUndefined();
  });
});
