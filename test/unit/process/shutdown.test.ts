import { afterEach, expect, it, vi } from 'vitest';
import type { Logger } from '../../../src/process/log.ts';
import { createShutdown } from '../../../src/process/shutdown.ts';

afterEach(() => vi.useRealTimers());

it('createShutdown stops every part, last one first, and names a part that hangs or fails', async () => {
  vi.useFakeTimers();
  const said: string[] = [];
  const error = ({ err, part }: { err: Error; part: string }) => said.push(`${part}: ${err.message}`);
  const shutdown = createShutdown({ error } as unknown as Logger);
  const stopped: string[] = [];
  shutdown.onStop('first', () => void stopped.push('first'));
  shutdown.onStop('hangs', () => new Promise<void>(() => undefined));
  shutdown.onStop('fails', () => {
    throw new Error('no');
  });
  shutdown.onStop('last', async () => void stopped.push('last'));
  const whole = shutdown.stop();
  await vi.advanceTimersByTimeAsync(59_000);
  expect(stopped).toEqual(['last']);
  await vi.advanceTimersByTimeAsync(2000);
  await whole;
  expect(stopped).toEqual(['last', 'first']);
  expect(said).toEqual(['fails: no', 'hangs: not stopped after 60 s']);
  expect(vi.getTimerCount()).toBe(0);
});
