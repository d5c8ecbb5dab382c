/**
 * Paper mode on arrays that are too large for the memory: layers are read one at a time, and the rest is as in
 * paper.ts but for the shuffled null, the other units and the later turns, each of which would take as long again.
 */
import { EntrainError } from '../protocol/errors.ts';
import { machineBytes } from '../process/machine-memory.ts';
import { streamedPaperScore, type LayerSource } from '../synchrony/syncr2/streamed-map.ts';
import { withNpyLayers, type NpyLayers } from '../recordings/formats/npy.ts';
import { paperAnswer, type Json } from './answers.ts';
import { readRows } from './arrays.ts';
import { fitOf, splitsAnswer } from './paper.ts';
import { modeOf, OFFLINE, type MeasureJob } from './job.ts';

type StreamedJob = Pick<MeasureJob, 'flags' | 'algebra' | 'say'> & { a: string; b: string };

/** @returns undefined where the arrays are for the usual way: another mode, chosen layers, or small enough */
export async function measureStreamed({ a, b, ...job }: StreamedJob): Promise<Json | undefined> {
  const { flags } = job;
  const budget = budgetBytes(flags['memory-gb']);
  if (modeOf(flags) !== 'paper' || flags.layer !== undefined || flags.lag !== undefined) return undefined;
  return withNpyLayers(a, (source) =>
    withNpyLayers(b, async (target) => {
      if (!source || !target || source.n !== target.n || neededBytes(source, target) <= budget)
        return undefined;
      return streamed({ source, target }, job, budget);
    }),
  );
}

async function streamed(
  sides: Record<'source' | 'target', NpyLayers>,
  { flags, algebra, say }: Omit<StreamedJob, 'a' | 'b'>,
  budget: number,
): Promise<Json> {
  const { rows, episodeIds } = await readRows(flags, sides.source.n);
  const { file: _, ...fit } = await fitOf({ flags, fallbacks: OFFLINE, algebra }, episodeIds);
  const input = { rows, source: layersOf(sides.source), target: layersOf(sides.target) };
  const score = await streamedPaperScore(input, { ...fit, budgetBytes: budget, say });
  return {
    mode: 'paper',
    seed: fit.seed,
    alpha: fit.lambda,
    ...paperAnswer(score),
    ...('reason' in score ? {} : { splits: splitsAnswer(score, episodeIds) }),
    streamed: true,
  };
}

const layersOf = ({ n, layers, dims, read }: NpyLayers): LayerSource => ({
  layers,
  dims,
  read: async (layer) => ({ rows: n, cols: dims, data: await read(layer) }),
});

/** States, inverses and scaled targets in float64, as paper-mode.ts holds them. */
function neededBytes(source: NpyLayers, target: NpyLayers): number {
  const { n } = source;
  const states = n * (source.layers * source.dims + 2 * target.layers * target.dims);
  return 8 * (states + source.layers * n * n);
}

const GIB = 2 ** 30;

function budgetBytes(text: string | undefined): number {
  if (text === undefined) return machineBytes() / 2;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value * GIB;
  throw new EntrainError('USAGE', `--memory-gb is ${text}; expected a number above 0`);
}
