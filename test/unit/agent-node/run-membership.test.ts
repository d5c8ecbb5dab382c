import { expect, it } from 'vitest';
import { streamFault } from '../../../src/agent-node/run-membership.ts';
import type { StreamFigures } from '../../../src/agent-node/metrics.ts';

const member = (run: string, connected: boolean) => ({
  run,
  figures: () => ({ connected }) as StreamFigures,
});

it('streamFault names the runs whose analyzer the agent does not reach', () => {
  expect(streamFault([])).toBeUndefined();
  expect(streamFault([member('r1', true)])).toBeUndefined();
  expect(streamFault([member('r1', true), member('r2', false)])).toMatch(/r2$/);
});
