import { describe, expect, it } from 'vitest';
import { closingLine, countTests } from '../../../scripts/lib/test-report.js';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((test) => ({ status: test })),
});

describe('the closing line', () => {
  it('says what the report counted', () => {
    const counts = countTests({
      numPassedTests: 5,
      numFailedTests: 1,
      numPendingTests: 2,
      numTodoTests: 1,
      testResults: [],
    });
    expect(closingLine(counts)).toBe('5 passed, 1 failed, 3 skipped');
  });
  it('leaves out skips where there are none', () => {
    expect(closingLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
  });
  it('counts a file that broke before its first test', () => {
    const testResults = [file('failed'), file('failed', 'failed'), file('passed', 'passed')];
    const report = { numPassedTests: 1, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0, testResults };
    expect(countTests(report)).toEqual({ passed: 1, failed: 2, skipped: 0 });
  });
});
