/** What the checks of a machine find, where it does not take a broken machine to see it. */
import { expect, it } from 'vitest';
import { checkServerVersion, clockFinding } from '../../../../src/cli/doctor/checks.ts';

it.each([
  ['2.9.9', false],
  ['2.9.10', true],
  ['2.10.19', true],
  ['2.10.20', false],
  ['2.10.27', false],
  ['2.10.28-RC.1', true],
  ['2.11.8', true],
])('checkServerVersion says of nats-server %s whether it may be used: %s', (version, isWell) => {
  const finding = checkServerVersion(version);
  expect(finding.isWell).toBe(isWell);
  expect(finding.cure === undefined).toBe(isWell);
});

it.each([
  [1000, true],
  [61_000, true],
  [63_001, false],
  [-60_000, true],
  [-60_001, false],
])('clockFinding bounds how far a clock is ahead that answers %s ms after the request', (atMs, isWell) => {
  expect(clockFinding({ askedMs: 0, nowMs: 3000, atMs }).isWell).toBe(isWell);
});
