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
  const [fault] = faultsOf(study);
  if (fault !== undefined) throw new EntrainError('STUDY_INVALID', `The study file ${file} ${fault}.`);
  return study;
}

function faultsOf(study: Study): string[] {
  const repeated = repeatedIn(study.scenarios.map(({ id }) => id));
  const twice =
    repeated === undefined ? [] : [`has "${repeated}" twice in scenarios: expected every id once`];
  return [...twice, ...study.pairs.flatMap((group) => groupFaults(study, group)), ...conditionFaults(study)];
}

function groupFaults({ scenarios, conditions, reader }: Study, group: string[]): string[] {
  const faults: string[] = [];
  const repeated = repeatedIn(group);
  if (repeated !== undefined) faults.push(`pairs agent "${repeated}" with itself: expected different agents`);
  const short = scenarios.find(({ people }) => people.length < group.length);
  if (short)
    faults.push(
      `has ${short.people.length} people in scenario "${short.id}": expected one for each of ${group.join(', ')}`,
    );
  if (!conditions.includes('reader')) return faults;
  if (group.length > 2)
    faults.push(`has the condition "reader" with more than two speakers (${group.join(', ')}): expected two`);
  if (reader !== undefined && group.includes(reader))
    faults.push(`lets "${reader}" read along with itself: expected a reader that is in no pair`);
  return faults;
}

/** What a condition needs and the study does not have. */
function conditionFaults({ conditions, scenarios, reader }: Study): string[] {
  const faults: string[] = [];
  const mute = scenarios.find(({ script }) => script.length === 0);
  if (conditions.includes('shared-input') && mute)
    faults.push(
      `has the condition "shared-input" and no script in scenario "${mute.id}": expected texts that all read`,
    );
  if (!conditions.includes('reader')) return faults;
  if (reader === undefined)
    faults.push('has the condition "reader" and no reader: expected the id of an agent that is in no pair');
  if (scenarios.some((scenario) => !scenario.reader && scenarios.length < 2))
    faults.push('has the condition "reader" and one scenario: expected its field "reader", another persona');
  return faults;
}

function repeatedIn(ids: string[]): string | undefined {
  return ids.find((id, index) => ids.indexOf(id) !== index);
}
