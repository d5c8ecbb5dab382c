import { expect, it } from 'vitest';
import { runFlag } from '../../../src/process/flags.ts';
import { RESERVED_RUNS } from '../../../src/protocol/subjects.ts';

it('runFlag refuses names that have another meaning in subjects', () => {
  expect(runFlag('--run', 'demo-2')).toBe('demo-2');
  expect(RESERVED_RUNS).toEqual(['agent', 'analyzer', 'join', 'service']);
  for (const name of RESERVED_RUNS) expect(() => runFlag('--run', name)).toThrow('choose another name');
  expect(() => runFlag('--run', '*')).toThrow('expected up to 64 letters');
});
