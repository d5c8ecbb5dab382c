/**
 * Secondary analyses of a group, from the same rows and with the same seed: estimates beyond text, and scores with
 * the partner's later turns. Each has its own interval, and is null if too few rows are left.
 */
import type {
  BesideReport,
  EstimateReport,
  LayerMapReport,
  StrictReport,
} from '../../protocol/reports/score-report.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import type { Selection } from '../ingest/group-rows.ts';
import { lagPairs } from '../../synchrony/syncr2/nulls.ts';
import { mapOf, type LayerMap } from '../../synchrony/strict/layer-map.ts';
import { beyondText, prepare, STRICT_METHOD, strictScore } from '../../synchrony/strict/strict-score.ts';
import { emptyScore, estimateReport, strictOptions, strictReport, type ScoreJob } from './score-group.ts';
import type { BesideScore } from './messages.ts';

/** Lags in turns; two agents who alternate have only odd ones. */
const LAGS = { lag3: 3, lag5: 5 } as const;

/** Secondary analyses without figures. */
export function emptyBeside(job: ScoreJob): BesideScore {
  const { run, version, seed, samples, rows } = emptyScore(job, '');
  const beside: BesideReport = { text: null, words: null, lag3: null, lag5: null };
  return {
    type: 'beside',
    run,
    group: job.group.group.key,
    version,
    seed,
    samples,
    method: STRICT_METHOD,
    beside,
    layerMap: null,
    rows,
    computedMs: 0,
  };
}

export async function scoreBeside(job: ScoreJob): Promise<BesideScore> {
  const startedMs = job.nowMs();
  const empty = emptyBeside(job);
  const { pairs, plan } = job.selection;
  const options = { ...strictOptions(job.group.group, plan), algebra: job.algebra };
  const prepared = await prepare(pairs, options);
  const beyond = async (what: 'text' | 'words'): Promise<EstimateReport | null> => {
    const found = await beyondText(pairs, { ...options, beyond: what, prepared });
    return 'reason' in found ? null : estimateReport(found);
  };
  const atLag = async (lag: number): Promise<StrictReport | null> => {
    const shortest = options.shortest === undefined ? undefined : options.shortest - (lag - 1) / 2;
    const found = await strictScore(lagPairs(pairs, lag), { ...options, shortest });
    return 'reason' in found ? null : strictReport(found);
  };
  const beside: BesideReport = {
    text: await beyond('text'),
    words: pairs.reply.cols > 0 ? await beyond('words') : null,
    lag3: await atLag(LAGS.lag3),
    lag5: await atLag(LAGS.lag5),
  };
  const found = 'reason' in prepared ? prepared : await mapOf(prepared, options);
  const spread = 'reason' in found ? null : layerMapReport(found, job.selection);
  return { ...empty, beside, layerMap: spread, computedMs: job.nowMs() - startedMs };
}

/** With the names of layers, episodes and turns. */
function layerMapReport({ map, nulls, parts }: LayerMap, { rows }: Selection): LayerMapReport {
  const names = Object.entries(rows).flatMap(([episode, own]) =>
    own.map((id) => [episode, id.split('>')[0] as string] as const),
  );
  const turns: LayerMapReport['turns'] = {};
  for (const { row, part } of parts) {
    const [episode, turn] = names[row] as (typeof names)[number];
    (turns[episode] ??= {})[turn] = part;
  }
  return { map: nestedRows(map), nulls: nestedRows(nulls), turns };
}

const nestedRows = ({ rows, cols, data }: Matrix): number[][] =>
  Array.from({ length: rows }, (_, row) => [...data.subarray(row * cols, (row + 1) * cols)]);
