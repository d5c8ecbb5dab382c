/** Which runs `/metrics` shows: the latest ones, and a run no longer once it has been silent for half an hour. */
import { expect, it } from 'vitest';
import { createRowMemory } from '../../../../src/analyzer/ingest/row-memory.ts';
import { createReports, type Reports } from '../../../../src/analyzer/output/reports.ts';
import { createScoreStore } from '../../../../src/analyzer/state/score-store.ts';
import { systemClock } from '../../../../src/process/clock.ts';
import type { StreamFigures } from '../../../../src/transport/stream/receiver/incoming-stream.ts';
import { plantedEpisodes } from '../../../fixtures/planted/planted-frames.ts';
import { silentLog } from '../../../fixtures/stream/stream-fixture.ts';

const MINUTE_MS = 60_000;
let nowMs = 0;
const clock = { ...systemClock, nowMs: () => nowMs };

/** Reports over a real score store that has one episode of each run, a minute after that of the run before. */
function reportsOf(runs: readonly string[], streams: readonly Partial<StreamFigures>[] = []): Reports {
  nowMs = Date.parse('2026-01-01');
  const store = createScoreStore({
    clock,
    log: silentLog,
    scoreLog: {} as never,
    send: () => undefined,
    memory: createRowMemory(Infinity),
    releaseAfterMs: 0,
    readBack: async function* () {},
    onScore: () => undefined,
  });
  const size = { scenarios: 1, episodesPerScenario: 1, turns: 4, layers: 1, dims: 2, textDims: 8 };
  for (const run of runs) {
    nowMs += MINUTE_MS;
    const [episode] = plantedEpisodes({ run, ...size, conditions: ['live'], coupling: 0.5, seed: 1 });
    for (const [role, frames] of (episode?.streams ?? []).entries())
      for (const message of frames)
        store.take({
          run,
          origin: { stream: `s${role}`, epoch: 1, seq: message.seq },
          message,
          arrivedMs: clock.monotonicMs(),
        });
  }
  return createReports({
    store,
    clock,
    natsUp: () => true,
    streams: () => streams as StreamFigures[],
    refused: () => ({}),
    scrapes: () => ({ scrapedAtMs: null, scrapeEveryMs: null }),
  });
}

const shown = ({ metrics }: Reports): string[] => metrics.runs().map(({ report }) => report.run);

it('metrics show every run that is under way, the latest first, and each leaves after half an hour', () => {
  const reports = reportsOf(['one', 'two']);
  expect(shown(reports)).toEqual(['two', 'one']);
  nowMs += 29 * MINUTE_MS - 1;
  expect(shown(reports)).toEqual(['two', 'one']);
  nowMs += 1;
  expect(shown(reports)).toEqual(['two']);
  nowMs += MINUTE_MS;
  expect(shown(reports)).toEqual([]);
});

it('metrics show at most sixteen runs, the latest', () => {
  const runs = Array.from({ length: 20 }, (_, at) => `run-${at}`);
  expect(shown(reportsOf(runs))).toEqual(runs.slice(4).toReversed());
});

it('metrics leave out the closed streams of runs that are not shown', () => {
  const streams = [
    { run: 'one', stream: 'ada', connected: false },
    { run: 'gone', stream: 'ada', connected: false },
    { run: 'gone', stream: 'ben', connected: true },
  ];
  const reports = reportsOf(['one'], streams);
  expect(reports.metrics.streams()).toEqual([streams[0], streams[2]]);
});
