import { describe, expect, it } from 'vitest';
import { createBrake } from '../../../src/agent-node/backpressure.ts';

describe('brake', () => {
  it('holds the model once while there is no room, and lets go when there is', async () => {
    const calls: string[] = [];
    let room = true;
    let free: () => void = () => undefined;
    const brake = createBrake({
      stream: { hasRoom: () => room, room: () => new Promise((resolve) => (free = resolve)) },
      model: { pause: () => calls.push('pause'), resume: () => calls.push('resume') },
    });
    brake();
    room = false;
    brake();
    brake();
    expect(calls).toEqual(['pause']);
    room = true;
    free();
    await Promise.resolve();
    brake();
    expect(calls).toEqual(['pause', 'resume']);
  });
});
