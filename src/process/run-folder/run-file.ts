/** Reads `run.json` of a run folder, and compares it with a study that is to run under the same name. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseMessage, runFactsSchema, type RunFacts } from '../../protocol/nats-messages.ts';
import { EntrainError } from '../../protocol/errors.ts';
import type { Study } from '../../protocol/study.ts';

/**
 * @returns what the run was begun with; undefined if there is no run of that name
 * @throws EntrainError `RUN_INVALID`
 */
export async function readRunFile(folder: string): Promise<RunFacts | undefined> {
  const file = join(folder, 'run.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined
    ? undefined
    : // An editor may have put a byte order mark before it.
      parseMessage(runFactsSchema, text.replace(/^\uFEFF/, ''), { code: 'RUN_INVALID', what: file });
}

/** @throws EntrainError `RUN_TAKEN`, with the fields in which the studies differ */
export function requireSameStudy(run: string, begun: Study, wanted: Study): void {
  const fields = Object.keys({ ...begun, ...wanted }) as (keyof Study)[];
  const other = fields.filter((field) => !isDeepStrictEqual(begun[field], wanted[field]));
  if (other.length > 0) throw runTaken(run, `was begun with another study (other ${other.join(', ')})`);
}

export function runTaken(run: string, why: string): EntrainError {
  const text = `Run ${run} ${why}: give this one another name with --run; nothing of the old one was touched.`;
  return new EntrainError('RUN_TAKEN', text);
}
