/** `entrain report RUN…`: what a run came to, as one HTML file, with the same figures as JSON beside it. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { required } from '../process/flags.ts';
import { findRunFolders } from '../process/run-folder/read-talk.ts';
import { usageText } from '../process/usage.ts';
import { writeAtomic } from '../process/write-atomic.ts';
import { EntrainError } from '../protocol/errors.ts';
import { readAssociation } from './association.ts';
import { readHumanDyads } from './human-section.ts';
import { reportPage, type Report } from './page.ts';
import { readReport } from './read-report.ts';

const FLAGS = {
  runs: {
    type: 'string',
    default: 'runs',
    value: 'DIR',
    about: 'where run folders are',
  },
  out: {
    type: 'string',
    value: 'FILE',
    about: 'the report (report.html in the folder of the first run)',
  },
  covariates: {
    type: 'string',
    value: 'FILE',
    about:
      'CSV with the column model and one for each covariate of models, held constant in the partial correlation, in place of those of the studies',
  },
  human: {
    type: 'string',
    multiple: true,
    value: 'FILE',
    about: 'what "entrain measure MEASURE --dyads DIR --json" printed: dyads of people beside the models',
  },
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain report RUN… [--out FILE.html] [--covariates FILE] [--human FILE]',
      about:
        'Writes design, verdict, figures, outcomes, sampled dialogues and what failed into one HTML file that loads nothing, and the same figures as results.json beside it. Several runs stand in one report, with the correlation of synchrony and outcomes across their models.',
    },
    FLAGS,
  );

/** Arguments after `entrain report` → exit status. */
export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: FLAGS,
    strict: true,
    allowPositionals: true,
  });
  required('RUN', positionals[0], 'the name or folder of a run, or of several');
  const folders = await findRunFolders(values.runs, positionals);
  const out = values.out ?? join(folders[0] ?? '', 'report.html');
  if (!out.endsWith('.html'))
    throw new EntrainError('USAGE', `--out is "${out}": expected a name that ends in .html.`);
  const report: Report = {
    runs: await Promise.all(folders.map((folder) => readReport(folder))),
    association: await readAssociation(folders, values.covariates),
    people: await Promise.all((values.human ?? []).map((file) => readHumanDyads(file))),
  };
  const results = out.replace(/[^/\\]*$/, 'results.json');
  // They hold what was said, as transcript.jsonl does.
  await writeAtomic(out, reportPage(report), 0o600);
  await writeAtomic(results, `${JSON.stringify(resultsOf(report), null, 2)}\n`, 0o600);
  process.stdout.write(`report   ${out}\nresults  ${results}\n`);
  return 0;
}

/** The figures of a report, without the curves of figures while a run went on. */
function resultsOf({ runs, association, people }: Report): object {
  return {
    runs: runs.map(
      ({ facts, view, lags, doses, maps, overTurns, geometry, outcomes, faults, dialogues }) => ({
        ...facts,
        provisional: view.figures.provisional,
        verdict: view.figures.verdict,
        groups: view.figures.groups.map((group) => ({ ...group, curve: undefined })),
        differences: view.figures.differences,
        lags,
        doses,
        layers: maps.map(({ layerMap: { map, nulls }, ...group }) => ({ ...group, map, nulls })),
        overTurns,
        geometry,
        outcomes,
        faults,
        dialogues: dialogues.map(({ id }) => id),
      }),
    ),
    ...(association ? { association: association.analysis } : {}),
    ...(people.length > 0 ? { people } : {}),
  };
}
