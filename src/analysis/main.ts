/** `entrain analyze RUN…`: does synchrony go with outcomes across models? */
import { parseArgs } from 'node:util';
import { required, wholeNumber } from '../process/flags.ts';
import { findRunFolders, readTalk } from '../process/run-folder/read-talk.ts';
import { usageText } from '../process/usage.ts';
import { EntrainError } from '../protocol/errors.ts';
import { analyzeTables } from './analyze-tables.ts';
import { analysisText } from './analysis-text.ts';
import { collectTables, type Collected, type FigureTable } from './collect-tables.ts';
import { readCovariates } from './read-covariates.ts';
import { geometryText, readGeometry, SHARES } from './state-geometry.ts';
import { commonTexts, readTexts, staticTable } from './static-cka.ts';

const FLAGS = {
  runs: { type: 'string', default: 'runs', value: 'DIR', about: 'where run folders are' },
  condition: { type: 'string', default: 'live', value: 'NAME', about: 'whose synchrony and outcomes' },
  covariates: {
    type: 'string',
    value: 'FILE',
    about:
      'CSV with the column model and one for each covariate, held constant in the partial correlation, in place of those of the studies; the column family holds names, each correlated by itself as well',
  },
  model: {
    type: 'string',
    multiple: true,
    value: 'DIR',
    about:
      "folder of one of the runs' models; with several, static CKA between them, on utterances of the runs, stands among the figures in brackets",
  },
  geometry: {
    type: 'boolean',
    default: false,
    about:
      'instead, how many dimensions the states of each agent take up and how straight they go, by layer and condition; needs no outcomes',
  },
  draws: { type: 'string', default: '4999', value: 'N', about: 'permutations of more than six models' },
  seed: { type: 'string', default: '1', value: 'N', about: 'of these' },
  json: { type: 'boolean', default: false, about: 'print JSON' },
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain analyze RUN…',
      about:
        'Correlates synchrony and influence of pairs of models with the outcomes of their dialogues, over all runs given, beside figures of the words alone and, with --model, static CKA; p by permuting models, for pairs that share one are not independent. Within models it holds the outcome of each episode beside its synchrony.',
    },
    FLAGS,
  );

/** Arguments after `entrain analyze` → exit status. */
export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: FLAGS,
    strict: true,
    allowPositionals: true,
  });
  required('RUN', positionals[0], 'the name or folder of a run, or of several');
  const folders = await findRunFolders(values.runs, positionals);
  if (values.geometry) return sayGeometry(folders, values.json);
  const collected = await collectTables(folders, values.condition);
  if (collected.outcomes.length === 0)
    throw new EntrainError(
      'RUN_INVALID',
      `None of the runs has an outcome in ${values.condition}: run "entrain evaluate" on each first.`,
    );
  const facts =
    values.covariates === undefined
      ? { covariates: collected.covariates, families: new Map() }
      : await readCovariates(values.covariates, collected.models);
  const draws = wholeNumber('--draws', values.draws, { least: 99, most: 999_999 });
  const statics = values.model === undefined ? [] : [await staticFigure(folders, collected, values.model)];
  const tables = { ...collected, figures: [...collected.figures, ...statics] };
  const analysis = analyzeTables(tables, { ...facts, draws, seed: wholeNumber('--seed', values.seed) });
  const about = { runs: folders.length, condition: values.condition, provisional: collected.provisional };
  process.stdout.write(
    values.json ? `${JSON.stringify({ ...about, ...analysis })}\n` : analysisText(analysis, about),
  );
  return 0;
}

async function sayGeometry(folders: readonly string[], json: boolean): Promise<number> {
  const runs = [];
  for (const folder of folders) {
    const talk = await readTalk(folder);
    runs.push({ run: talk.facts.run, geometry: await readGeometry(talk) });
  }
  const text = json
    ? `${JSON.stringify({ shares: SHARES, runs })}\n`
    : runs.map(({ run: name, geometry }) => `${name}: ${geometryText(geometry)}`).join('');
  process.stdout.write(text);
  return 0;
}

async function staticFigure(
  folders: readonly string[],
  { hashes }: Collected,
  models: readonly string[],
): Promise<FigureTable> {
  const texts = commonTexts(await Promise.all(folders.map((folder) => readTalk(folder))));
  const read = [];
  for (const folder of models) read.push(await readTexts(folder, texts));
  return { name: 'static CKA', isRival: true, table: await staticTable(read, hashes) };
}
