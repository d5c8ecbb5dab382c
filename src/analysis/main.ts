/** `entrain analyze RUN…`: does synchrony go with outcomes across models? */
import { parseArgs } from 'node:util';
import { required, wholeNumber } from '../process/flags.ts';
import { findRunFolders } from '../process/run-folder/read-talk.ts';
import { usageText } from '../process/usage.ts';
import { EntrainError } from '../protocol/errors.ts';
import { analyzeTables } from './analyze-tables.ts';
import { analysisText } from './analysis-text.ts';
import { collectTables } from './collect-tables.ts';
import { readCovariates } from './read-covariates.ts';

const FLAGS = {
  runs: { type: 'string', default: 'runs', value: 'DIR', about: 'where run folders are' },
  condition: { type: 'string', default: 'live', value: 'NAME', about: 'whose synchrony and outcomes' },
  covariates: {
    type: 'string',
    value: 'FILE',
    about:
      'CSV with the column model and one for each covariate, held constant in the partial correlation; the column family holds names, each correlated by itself as well',
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
        'Correlates synchrony and influence of pairs of models with the outcomes of their dialogues, over all runs given, beside figures of the words alone; p by permuting models, for pairs that share one are not independent. Within models it holds the outcome of each episode beside its synchrony.',
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
  const collected = await collectTables(folders, values.condition);
  if (collected.outcomes.length === 0)
    throw new EntrainError(
      'RUN_INVALID',
      `None of the runs has an outcome in ${values.condition}: run "entrain evaluate" on each first.`,
    );
  const facts =
    values.covariates === undefined
      ? { covariates: new Map(), families: new Map() }
      : await readCovariates(values.covariates, collected.models);
  const draws = wholeNumber('--draws', values.draws, { least: 99, most: 999_999 });
  const analysis = analyzeTables(collected, { ...facts, draws, seed: wholeNumber('--seed', values.seed) });
  const about = { runs: folders.length, condition: values.condition, provisional: collected.provisional };
  process.stdout.write(
    values.json ? `${JSON.stringify({ ...about, ...analysis })}\n` : analysisText(analysis, about),
  );
  return 0;
}
