/** Writes out the scenarios that a study names by set. What a set is made of are files of this package. */
import { readFile } from 'node:fs/promises';
import { parseMessage } from '../../protocol/nats-messages.ts';
import {
  scenarioSetSchema,
  socialScenariosSchema,
  taskGrammarSchema,
  type TaskGrammar,
} from '../../protocol/scenarios/scenario-sets.ts';
import { scenariosOf, type SetSources } from '../../scenarios/expand-sets.ts';
import { packageFile } from '../package-file.ts';

const GRAMMAR = 'studies/sets/tasks.json';
const SOCIAL = 'studies/sets/social.json';

/**
 * @param study as parsed, before it is checked
 * @param what the study is called in a refusal
 * @throws EntrainError `STUDY_INVALID` naming the place of a set that is not well formed
 */
export async function withSets(study: unknown, what: string): Promise<unknown> {
  const scenarios = isRecord(study) ? study['scenarios'] : undefined;
  if (!isRecord(study) || !Array.isArray(scenarios) || !scenarios.some(isSet)) return study;
  const sources = await setSources();
  const written = scenarios.flatMap((scenario: unknown, at) => {
    if (!isSet(scenario)) return [scenario];
    const about = { code: 'STUDY_INVALID', what: `${what}, at scenarios.${at},` } as const;
    return scenariosOf(parseMessage(scenarioSetSchema, scenario, about), sources);
  });
  return { ...study, scenarios: written };
}

export async function setSources(): Promise<SetSources> {
  const read = async (path: string): Promise<string> => readFile(await packageFile(path), 'utf8');
  const about = (what: string) => ({ code: 'CONFIG_INVALID', what }) as const;
  return {
    grammar: parseMessage(taskGrammarSchema, await read(GRAMMAR), about(GRAMMAR)) as unknown as TaskGrammar,
    social: parseMessage(socialScenariosSchema, await read(SOCIAL), about(SOCIAL)),
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSet = (value: unknown): boolean => isRecord(value) && Object.hasOwn(value, 'set');
