/** `entrain rerun RUN`: the study of a run once more, under another name, and whether all comes out the same. */
import { join, resolve } from 'node:path';
import { findRunFolder, readTalk } from '../../process/run-folder/read-talk.ts';
import { writeAtomic } from '../../process/write-atomic.ts';
import { EntrainError } from '../../protocol/errors.ts';
import { compareRuns } from './compare-runs.ts';
import { run as start } from './start.ts';

export const usage = (): string => `entrain rerun RUN [flags of entrain start]
  Runs the study and seed of a run again, as RUN-again or as --run NAME says, and compares models, transcripts and scores:
  status 0 where all are equal, 1 where not. Models are given as to "entrain start"; equal words are promised for the
  same machine, thread count and provider.`;

/** Arguments after `entrain rerun` → exit status. */
export async function run([name, ...flags]: string[]): Promise<number> {
  if (name === undefined || name.startsWith('-'))
    throw new EntrainError(
      'USAGE',
      'RUN is missing: expected the name or folder of a run, before all flags.',
    );
  const taken = flags.find((flag) => /^--(study|seed|once)(=|$)/.test(flag));
  if (taken !== undefined)
    throw new EntrainError(
      'USAGE',
      `${taken} is the run's own: leave it out, or begin another run with "entrain start".`,
    );
  const runs = valueOf(flags, '--runs') ?? 'runs';
  const folder = await findRunFolder(runs, name);
  const { facts } = await readTalk(folder);
  const study = join(folder, 'study.json');
  await writeAtomic(study, `${JSON.stringify(facts.study, null, 2)}\n`);
  const again = valueOf(flags, '--run') ?? `${facts.run}-again`;
  const named = valueOf(flags, '--run') === undefined ? ['--run', again] : [];
  const status = await start([...flags, ...named, '--study', study, '--once']);
  if (status !== 0) return status;
  return compared(folder, join(resolve(runs), again));
}

async function compared(first: string, second: string): Promise<number> {
  const { turns, scores, differences } = await compareRuns(first, second);
  const equal = differences.length === 0;
  const text = equal
    ? [`equal: ${turns} turns and ${scores} scores`]
    : ['not equal:', ...differences.map((line) => `  ${line}`)];
  console.log(text.join('\n'));
  return equal ? 0 : 1;
}

/** Of `--flag VALUE` or `--flag=VALUE`. */
function valueOf(flags: readonly string[], flag: string): string | undefined {
  const at = flags.findIndex((one) => one === flag || one.startsWith(`${flag}=`));
  if (at < 0) return undefined;
  return flags[at] === flag ? flags[at + 1] : flags[at]?.slice(flag.length + 1);
}
