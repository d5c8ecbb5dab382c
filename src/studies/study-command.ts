/** `entrain study validate|plan|schema`: checks, sizes and describes a study file without starting a run. */
import { parseArgs } from 'node:util';
import { loadTokenizer } from '../model/text/tokenizer.ts';
import { readModelFolder } from '../model/folder/model-folder.ts';
import { noMore, required, requireOwn } from '../process/flags.ts';
import { modelOfStudy } from '../process/run-folder/model-of-study.ts';
import { readStudy } from '../process/run-folder/read-study.ts';
import { usageText } from '../process/usage.ts';
import { EntrainError } from '../protocol/errors.ts';
import { agentsOf, studyJsonSchema, type Study } from '../protocol/study.ts';
import { planStudy, type PlannedModel } from './plan-study.ts';

const FLAGS = {
  model: {
    type: 'string',
    multiple: true,
    value: '[AGENT=]DIR',
    about: 'decoder folder of all agents or of one, for disk and context',
  },
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain study validate FILE\nentrain study plan FILE [--model DIR]\nentrain study schema',
      about:
        'validate: is the file a study? plan: what it comes to, and status 1 where a group can give no score. schema: the JSON Schema of study files.',
    },
    FLAGS,
  );

/** Arguments after `entrain study` → exit status. */
export async function studyCommand(argv: string[]): Promise<number> {
  const { values, positionals, tokens } = parseArgs({
    args: argv,
    options: FLAGS,
    strict: true,
    allowPositionals: true,
    tokens: true,
  });
  const [what, file] = positionals;
  noMore(positionals, what === 'schema' ? 1 : 2, what === 'schema' ? 'no more' : 'one FILE');
  if (what !== 'plan') requireOwn(`study ${what ?? ''}`, tokens, []);
  if (what === 'schema') return print(`${JSON.stringify(studyJsonSchema(), null, 2)}\n`, 0);
  if (what !== 'validate' && what !== 'plan')
    throw new EntrainError('USAGE', `There is no "study ${what ?? ''}": expected validate, plan or schema.`);
  const study = await readStudy(required('FILE', file, 'a study file'));
  if (what === 'validate') return print(`${file} is a study: ${study.name}\n`, 0);
  const { lines, note } = planStudy(study, await modelsOf(study, values.model ?? []));
  const said = [...lines, ...(note === undefined ? [] : [`note     ${note}`])];
  return print(`${said.join('\n')}\n`, note === undefined ? 0 : 1);
}

function print(text: string, status: number): number {
  process.stdout.write(text);
  return status;
}

/** Models by agent, from `AGENT=DIR` flags; `DIR` alone applies to all other agents. */
async function modelsOf(study: Study, flags: readonly string[]): Promise<Map<string, PlannedModel>> {
  const agents = agentsOf(study);
  const folders = new Map<string, string>();
  for (const [agent, folder] of Object.entries(study.models)) folders.set(agent, await modelOfStudy(folder));
  const named = new Set(flags.flatMap((flag) => (flag.includes('=') ? [flag.split('=')[0]] : [])));
  for (const flag of flags) {
    const [agent, folder] = flag.includes('=')
      ? (flag.split(/=(.*)/s) as [string, string])
      : [undefined, flag];
    if (agent !== undefined && !agents.has(agent))
      throw new EntrainError(
        'USAGE',
        `--model names agent "${agent}": expected one of ${[...agents].join(', ')}.`,
      );
    for (const one of agent === undefined ? [...agents].filter((name) => !named.has(name)) : [agent])
      folders.set(one, folder);
  }
  const known = new Map<string, PlannedModel>();
  for (const folder of new Set(folders.values())) known.set(folder, await readPlanned(folder));
  return new Map([...folders].map(([agent, folder]) => [agent, known.get(folder) as PlannedModel]));
}

async function readPlanned(folder: string): Promise<PlannedModel> {
  const { path, name, config } = await readModelFolder(folder);
  const tokenizer = await loadTokenizer(path);
  const { layers, dims, contextTokens } = config;
  return { name, path, layers, dims, contextTokens, countTokens: (text) => tokenizer.encode(text).length };
}
