/** Reads a study file and checks what the schema alone cannot see. */
import { readFile } from 'node:fs/promises';
import { parseMessage } from '../protocol/control.ts';
import { EntrainError } from '../protocol/errors.ts';
import { studySchema, type Study } from '../protocol/study.ts';

/** @throws EntrainError `STUDY_INVALID` naming file and field */
export async function readStudy(file: string): Promise<Study> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new EntrainError(
      'STUDY_INVALID',
      `The study file ${file} cannot be read: expected a JSON file; see studies/demo.json for one.`,
      { cause },
    );
  });
  const study = parseMessage(studySchema, text, { code: 'STUDY_INVALID', what: `The study file ${file}` });
  refuseRepeated(
    file,
    'scenarios',
    study.scenarios.map(({ id }) => id),
  );
  for (const [first, second] of study.pairs) {
    if (first === second)
      throw new EntrainError(
        'STUDY_INVALID',
        `The study file ${file} pairs agent "${first}" with itself: expected two different agents.`,
      );
  }
  return study;
}

function refuseRepeated(file: string, field: string, ids: string[]): void {
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated === undefined) return;
  throw new EntrainError(
    'STUDY_INVALID',
    `The study file ${file} has "${repeated}" twice in ${field}: expected every id once.`,
  );
}
