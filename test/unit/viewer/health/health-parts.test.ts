/** The health line: what is well, what waits, and what is wrong with what to do about it. */
import { expect, it } from 'vitest';
import { healthParts, samplesIn, type ProgramFigures } from '../../../../src/viewer/health/health-parts.ts';

const NOW_S = 1_000_000;
const program = (name: string, text: string | undefined, place = '127.0.0.1:1'): ProgramFigures => ({
  program: name,
  place,
  figures: text === undefined ? undefined : samplesIn(text),
});
const agent = (more: { up?: number; spool?: number } = {}): ProgramFigures =>
  program(
    'agent',
    `entrain_agent_stream_up ${more.up ?? 1}\nentrain_agent_spool_ratio ${more.spool ?? 0.01}\n`,
  );
const analyzer = (more: { free?: number; updated?: number; faults?: number } = {}): ProgramFigures =>
  program(
    'analyzer',
    [
      '# HELP entrain_disk_free_bytes Room on the disk it writes to.',
      `entrain_disk_free_bytes ${more.free ?? 5e11}`,
      'entrain_disk_size_bytes 1e12',
      `entrain_score_faults_total ${more.faults ?? 0}`,
      `entrain_synchrony_updated_timestamp_seconds{run="r",condition="a } b"} ${more.updated ?? NOW_S - 4}`,
    ].join('\n'),
  );
const coordinator = (last = NOW_S): ProgramFigures =>
  program('coordinator', `entrain_run_last_turn_timestamp_seconds ${last}`);

const faultsOf = (programs: ProgramFigures[]): string[] =>
  healthParts(programs, NOW_S * 1000)
    .filter(({ state }) => state === 'fault')
    .map(({ name, text, remedy }) => `${name}: ${text}; ${remedy}`);

it('is well where everybody answers and nothing is over its limit', () => {
  const parts = healthParts([agent(), agent(), analyzer(), coordinator()], NOW_S * 1000);
  expect(parts.map(({ name, state, text }) => `${name} ${state} ${text}`)).toEqual([
    'agents well 2 of 2',
    'recording well 2 of 2 connected',
    'buffer well 1\u00a0% full',
    'disk well 466 GiB free',
    'scores well 4 s old',
    'last turn well now',
  ]);
});

it.each([
  [
    'an agent that does not answer',
    [agent(), program('agent', undefined, 'lab:7'), analyzer()],
    /^agents: 1 of 2; no answer from lab:7/,
  ],
  [
    'a stream that is down',
    [agent({ up: 0 }), agent(), analyzer()],
    /^recording: 1 of 2 connected; .*states wait on the agent’s disk/,
  ],
  ['a spool above 80 %', [agent({ spool: 0.81 }), analyzer()], /^buffer: 81\u00a0% full; the agent waits/],
  ['a disk with less than 5 % free', [agent(), analyzer({ free: 4e10 })], /^disk: 37 GiB free; make room/],
  [
    'scores older than five minutes',
    [agent(), analyzer({ updated: NOW_S - 301 })],
    /^scores: 5 min old; scoring lags/,
  ],
  ['scores that fail', [agent(), analyzer({ faults: 2 })], /^scores: 2 failed; the log/],
  [
    'a talk that stands still',
    [agent(), analyzer(), coordinator(NOW_S - 121)],
    /^last turn: 2 min ago; the coordinator/,
  ],
] as const)('names %s and what to do', (_, programs, expected) => {
  const faults = faultsOf([...programs]);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(expected);
});

it('says that an analyzer which does not answer is the fault', () => {
  expect(faultsOf([agent(), program('analyzer', undefined)])).toEqual([
    expect.stringMatching(/^disk: not known; the analyzer does not answer/),
    expect.stringMatching(/^scores: not known; the analyzer does not answer/),
  ]);
});

it('says nothing of a run whose programs are not known', () => {
  expect(healthParts([], NOW_S * 1000)).toEqual([]);
});
