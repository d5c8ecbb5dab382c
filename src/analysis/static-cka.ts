/**
 * Static CKA: how alike two models arrange the same texts, each read alone, without persona, history or partner. A
 * rival of synchrony: what is alike before any talk cannot come from talking.
 * Formula: linear CKA with the unbiased estimator of HSIC, between the two models' states of the last layer at the
 * position of a reply, a row for each text.
 * Range: about −1 to 1; 1 of a model with itself.
 * Reference: Kornblith, Norouzi, Lee, Hinton, 2019; Nguyen, Raghu, Kornblith, 2021.
 * No number: a model whose folder was not given, or fewer than four different texts.
 */
import { addTurn } from '../model/dialogue/add-turn.ts';
import { createEngine } from '../model/dialogue/engine.ts';
import { readPrompt } from '../model/dialogue/speak-turn.ts';
import { openModel } from '../model/worker/open-model.ts';
import { createPlainAlgebra } from '../numeric/plain-algebra.ts';
import type { Matrix } from '../numeric/linear-algebra.ts';
import type { RunTalk } from '../process/run-folder/read-talk.ts';
import { EntrainError } from '../protocol/errors.ts';
import { samplingSchema } from '../protocol/study.ts';
import { ckaUnbiased } from '../synchrony/measures/cka-unbiased.ts';
import type { PairTable } from '../synchrony/stats/qap.ts';

/** The states of a model, [texts, dims]. */
export interface ReadTexts {
  sha256: string;
  states: Matrix;
}

const MOST_TEXTS = 120;
const CACHE_FOLDER = '.cache/models';

/** Different utterances of all runs, evenly spread over them in alphabetical order: the same for the same runs. */
export function commonTexts(talks: readonly Pick<RunTalk, 'episodes'>[]): string[] {
  const said = talks.flatMap(({ episodes }) =>
    episodes.flatMap(({ turns }) => turns.flatMap(({ text }) => (text.trim() === '' ? [] : [text]))),
  );
  const different = [...new Set(said)].toSorted();
  const count = Math.min(MOST_TEXTS, different.length);
  return Array.from(
    { length: count },
    (_, at) => different[Math.floor((at * different.length) / count)] as string,
  );
}

/** Reads each text as the first utterance of a dialogue. */
export async function readTexts(folder: string, texts: readonly string[]): Promise<ReadTexts> {
  const model = await openModel({ folder, provider: 'cpu', threads: 1, cacheFolder: CACHE_FOLDER });
  try {
    const { dims, sha256 } = model.info;
    const states: Matrix = { rows: texts.length, cols: dims, data: new Float64Array(texts.length * dims) };
    for (const [row, text] of texts.entries()) {
      const sampling = samplingSchema.parse({});
      const engine = createEngine(model, { id: 'static', system: '', sampling, steps: null });
      addTurn(engine, 'peer', text);
      const { state } = await readPrompt(engine);
      states.data.set(state.data.subarray(state.data.length - dims), row * dims);
    }
    return { sha256, states };
  } finally {
    await model.release();
  }
}

/**
 * @param hashes of the models, in the order of the tables
 * @throws EntrainError `USAGE` for a model that is in none of the runs
 */
export async function staticTable(read: readonly ReadTexts[], hashes: readonly string[]): Promise<PairTable> {
  const stranger = read.findIndex(({ sha256 }) => !hashes.includes(sha256));
  if (stranger >= 0)
    throw new EntrainError(
      'USAGE',
      `The ${stranger + 1}. --model is in none of the runs: expected folders of their models, unchanged.`,
    );
  const states = hashes.map((hash) => read.find(({ sha256 }) => sha256 === hash)?.states);
  const algebra = createPlainAlgebra();
  return Promise.all(
    states.map((row) =>
      Promise.all(
        states.map(async (column) => {
          if (!row || !column) return undefined;
          const found = await ckaUnbiased.compute(row, column, { algebra });
          return 'value' in found ? found.value : undefined;
        }),
      ),
    ),
  );
}
