/** `entrain import sotopia DIR`: makes study files from published data sets. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nameFlag, noMore, required, wholeNumber } from '../process/flags.ts';
import { usageText } from '../process/usage.ts';
import { writeAtomic } from '../process/write-atomic.ts';
import { EntrainError } from '../protocol/errors.ts';
import { hopelessStudy } from '../protocol/minimums.ts';
import { importSotopia } from './sotopia/import-sotopia.ts';

const FLAGS = {
  out: { type: 'string', value: 'FILE', about: 'the study (NAME.json)' },
  name: { type: 'string', default: 'sotopia', value: 'NAME', about: 'of the study' },
  agents: { type: 'string', default: 'ada,ben', value: 'A,B', about: 'who talks, in speaking order' },
  combinations: {
    type: 'string',
    value: 'N',
    about: 'of each scenario with two characters, the first N; all where it is left out',
  },
  episodes: { type: 'string', default: '3', value: 'N', about: 'of each combination and condition' },
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain import sotopia DIR [--out FILE]',
      about:
        'Makes a study of the scenarios, characters and combinations of SOTOPIA (envs.json, agents.json, env_agent_combos.json in DIR). Combinations of one scenario share its text: --combinations 1 keeps scenarios apart.',
    },
    FLAGS,
  );

/** Arguments after `entrain import` → exit status. */
export async function importCommand(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: FLAGS,
    strict: true,
    allowPositionals: true,
  });
  const [kind, folder] = positionals;
  if (kind !== 'sotopia')
    throw new EntrainError('USAGE', `There is nothing called "${kind ?? ''}" to import: expected sotopia.`);
  noMore(positionals, 2, 'one DIR');
  const name = nameFlag('--name', values.name);
  const study = await importSotopia(required('DIR', folder, 'the folder with the files of SOTOPIA'), {
    name,
    agents: agentsFlag(values.agents),
    episodes: wholeNumber('--episodes', values.episodes, { least: 1 }),
    ...(values.combinations === undefined
      ? {}
      : { combinations: wholeNumber('--combinations', values.combinations, { least: 1 }) }),
  });
  const out = values.out ?? `${name}.json`;
  await writeAtomic(out, `${JSON.stringify(study, null, 2)}\n`, 0o644);
  const note = hopelessStudy(study);
  const episodes = study.scenarios.length * study.conditions.length * study.episodes;
  process.stdout.write(
    `${study.scenarios.length} scenarios, ${episodes} episodes of up to ${study.maxTurns} turns: ${join(out)}\n`,
  );
  if (note !== undefined) process.stdout.write(`note: ${note}\n`);
  return 0;
}

function agentsFlag(text: string): [string, string] {
  const names = text.split(',').map((name) => nameFlag('--agents', name));
  const [first, second] = names;
  if (first !== undefined && second !== undefined && names.length === 2 && first !== second)
    return [first, second];
  throw new EntrainError('USAGE', `--agents is "${text}": expected two different names, such as ada,ben.`);
}
