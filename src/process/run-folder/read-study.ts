/** Reads a study file and checks what the schema cannot check. */
import { readFile } from 'node:fs/promises';
import { patchFault } from '../../protocol/branches.ts';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { EntrainError } from '../../protocol/errors.ts';
import { ruleFault } from '../../protocol/scenarios/rule-schema.ts';
import {
  agentsOf,
  PAPER_READER,
  studySchema,
  talkOf,
  type Condition,
  type Study,
} from '../../protocol/study.ts';
import { decodeText } from '../json-text.ts';
import { withPairings } from './pairings.ts';
import { withSets } from './scenario-sets.ts';
import { parseStudyText } from './study-text.ts';

/**
 * The study of a file, with the scenarios of its sets and the pairs of its models written out.
 * @throws EntrainError `STUDY_INVALID`, with the file and the field, or line and column
 */
export async function readStudy(file: string): Promise<Study> {
  const what = `The study file ${file}`;
  const refuse = (fault: string, cause?: unknown): EntrainError =>
    new EntrainError('STUDY_INVALID', `${what} ${fault}.`, { cause });
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw refuse('cannot be read: expected a JSON or YAML file; see studies/demo.json for one', cause);
  });
  const decoded = decodeText(bytes);
  if ('fault' in decoded) throw refuse(decoded.fault);
  const parsed = parseStudyText(file, decoded.text);
  if ('fault' in parsed) throw refuse(parsed.fault);
  const whole = await withSets(withPairings(parsed.value, what), what);
  const study = parseMessage(studySchema, whole, { code: 'STUDY_INVALID', what });
  const [fault] = faultsOf(study);
  if (fault !== undefined) throw refuse(fault);
  return study;
}

function faultsOf(study: Study): string[] {
  return [
    ...twiceFaults(study),
    ...study.pairs.flatMap((group) => groupFaults(study, group)),
    ...conditionFaults(study),
    ...controlFaults(study),
    ...branchFaults(study),
    ...ruleFaults(study),
    ...modelFaults(study),
    ...covariateFaults(study),
  ];
}

function modelFaults(study: Study): string[] {
  const agents = agentsOf(study);
  const nobody = Object.keys(study.models).find((agent) => !agents.has(agent));
  if (nobody === undefined) return [];
  return [
    `has a model for "${nobody}", which is none of its agents: expected one of ${[...agents].join(', ')}`,
  ];
}

function covariateFaults({ covariates = {}, models }: Study): string[] {
  const entries = Object.entries(covariates);
  const [first] = entries;
  const nobody = entries.find(([name]) => !Object.hasOwn(models, name));
  if (nobody)
    return [`has covariates of "${nobody[0]}", which has no model in the study: expected names in "models"`];
  const wanted = Object.keys(first?.[1] ?? {}).toSorted();
  const other = entries.find(([, values]) => String(Object.keys(values).toSorted()) !== String(wanted));
  if (!other) return [];
  return [
    `has other covariates of "${other[0]}" than of "${first?.[0]}": expected ${wanted.map((one) => `"${one}"`).join(', ')} of each`,
  ];
}

function controlFaults({ steps, episodes }: Study): string[] {
  if (!steps?.control || episodes > 1) return [];
  return [
    'has steps.control and 1 episode: expected at least 2, for the first of each scenario gives the history behind which the turns of the others are read',
  ];
}

/** At temperature 0 every alternative is what was said, and nothing can be learnt of it. */
function branchFaults(study: Study): string[] {
  const { branches, sampling } = study;
  const patched = patchFault(study);
  if (patched !== undefined) return [patched];
  if (!branches || sampling.temperature > 0) return [];
  return [
    'has branches and the temperature 0 in sampling, at which every alternative has the same words: expected a temperature above 0, or no branches',
  ];
}

/**
 * Faults of a study in which something would be counted twice: dialogues of the same condition, scenario and
 * speakers are the same word for word, and so are their states.
 */
function twiceFaults({ scenarios, conditions, pairs, steps }: Study): string[] {
  const scenario = repeatedIn(scenarios.map(({ id }) => id));
  const figures = repeatedIn(conditions.map(figuresOf));
  const same = conditions.filter((condition) => figuresOf(condition) === figures);
  const speakers = repeatedIn(pairs.map((group) => group.join(', ')));
  const layer = repeatedIn((steps?.layers ?? []).map(String));
  return [
    ...(scenario === undefined ? [] : [`has "${scenario}" twice in scenarios: expected every id once`]),
    ...(figures === undefined
      ? []
      : [
          `has ${same.map((name) => `"${name}"`).join(' and ')} in conditions, which give the same talk word for word: expected one of them`,
        ]),
    ...(speakers === undefined ? [] : [`has the group ${speakers} twice in pairs: expected it once`]),
    ...(layer === undefined ? [] : [`has layer ${layer} twice in steps.layers: expected it once`]),
  ];
}

/**
 * A key of what a condition's figures are made of: conditions with the same key give the same figures. The talk of
 * `paper-reader` is that of `live`, its predicting states are those of a third person.
 */
const figuresOf = (condition: Condition): string =>
  condition === PAPER_READER ? condition : talkOf(condition);

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

/** Faults of a study that lacks what one of its conditions needs. */
function conditionFaults(study: Study): string[] {
  const { conditions, scenarios, reader } = study;
  const faults = scriptFaults(study);
  if (!conditions.includes('reader')) return faults;
  if (reader === undefined)
    faults.push('has the condition "reader" and no reader: expected the id of an agent that is in no pair');
  if (scenarios.some((scenario) => !scenario.reader && scenarios.length < 2))
    faults.push('has the condition "reader" and one scenario: expected its field "reader", another persona');
  return faults;
}

/** Faults of scripts: a scenario has one, or one for each of its episodes. */
function scriptFaults({ conditions, scenarios, pairs, episodes }: Study): string[] {
  const faults: string[] = [];
  const mute = scenarios.find(({ script, scripts }) => script.length + scripts.length === 0);
  if (conditions.includes('shared-input') && mute)
    faults.push(
      `has the condition "shared-input" and no script in scenario "${mute.id}": expected texts that all read`,
    );
  const both = scenarios.find(({ script, scripts }) => script.length > 0 && scripts.length > 0);
  if (both) faults.push(`has script and scripts in scenario "${both.id}": expected one of them`);
  const needed = pairs.length * episodes;
  const few = scenarios.find(({ scripts }) => scripts.length > 0 && scripts.length < needed);
  if (few)
    faults.push(
      `has ${few.scripts.length} scripts in scenario "${few.id}": expected one for each of its ${needed} episodes (episodes × pairs)`,
    );
  return faults;
}

/** Rules that cannot be met, or that stand in a study of more than two talkers. */
function ruleFaults({ scenarios, pairs }: Study): string[] {
  const faults = scenarios.flatMap(({ id, rule }) => {
    const fault = rule && ruleFault(rule);
    return fault === undefined ? [] : [`has a rule in scenario "${id}" that ${fault}`];
  });
  const large = pairs.find((group) => group.length > 2);
  const ruled = scenarios.find(({ rule }) => rule !== undefined);
  if (large && ruled)
    faults.push(
      `has a rule in scenario "${ruled.id}" and a group of ${large.length} agents: expected two, whom rules are for`,
    );
  return faults;
}

function repeatedIn(ids: string[]): string | undefined {
  return ids.find((id, index) => ids.indexOf(id) !== index);
}
