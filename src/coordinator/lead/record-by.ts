/** Gives a run to an analyzer: kept, and said in the run, before any agent is told. */
import type { FleetAnalyzer } from '../fleet.ts';
import type { RunningStudy } from '../run-study.ts';
import type { LeadParts } from './lead-parts.ts';

/** Where the analyzer of a run stands in the rows; a coordinator of one run has it in memory alone. */
export type Recorder = NonNullable<LeadParts['recorder']>;

export const recorderInMemory = ({ id: analyzer, streamUrl }: FleetAnalyzer): Recorder => ({
  known: { analyzer, streamUrl, before: [], told: [] },
  keep: () => Promise.resolve(),
});

/** Begins the next part of a run, unless the analyzer has it already. */
export async function recordBy(
  { pool, recorder }: Pick<LeadParts, 'pool'> & { recorder: Recorder },
  running: Pick<RunningStudy, 'recordedBy'>,
  { id: analyzer, streamUrl, fingerprint }: FleetAnalyzer,
): Promise<void> {
  const { known: was } = recorder;
  const isLost = was !== undefined && was.analyzer !== analyzer;
  const before = isLost ? [...was.before, was.analyzer] : (was?.before ?? []);
  const place = { analyzer, streamUrl, ...(fingerprint === undefined ? {} : { fingerprint }) };
  const row = { ...place, before, told: was?.told ?? [] };
  await recorder.keep(row);
  recorder.known = row;
  pool.recordedBy(analyzer);
  await running.recordedBy(analyzer, before.length + 1);
}
