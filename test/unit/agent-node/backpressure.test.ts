import { describe, expect, it } from 'vitest';
import { createBackpressure } from '../../../src/agent-node/backpressure.ts';

describe('createBackpressure', () => {
  it('pauses the model once while the spool is full, and resumes it when there is space', async () => {
    const calls: string[] = [];
    let room = true;
    let free: () => void = () => undefined;
    const holdWhileFull = createBackpressure({
      stream: { hasRoom: () => room, room: () => new Promise((resolve) => (free = resolve)) },
      model: { pause: () => calls.push('pause'), resume: () => calls.push('resume') },
    });
    holdWhileFull();
    room = false;
    holdWhileFull();
    holdWhileFull();
    expect(calls).toEqual(['pause']);
    room = true;
    free();
    await Promise.resolve();
    holdWhileFull();
    expect(calls).toEqual(['pause', 'resume']);
  });
});
