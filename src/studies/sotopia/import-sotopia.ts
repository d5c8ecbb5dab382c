/**
 * Makes a study from SOTOPIA's scenarios. Each combination of a scenario with two characters becomes one scenario of
 * the study, since its episodes share both. A dialogue has at most 20 turns and ends earlier if one of the two leaves.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeText, parseJsonText } from '../../process/json-text.ts';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { EntrainError } from '../../protocol/errors.ts';
import {
  sotopiaAgentsSchema,
  sotopiaCombinationsSchema,
  sotopiaScenariosSchema,
  type SotopiaAgents,
  type SotopiaCombination,
  type SotopiaScenarios,
} from '../../protocol/scenarios/sotopia.ts';
import { studySchema, type Person, type Study } from '../../protocol/study.ts';
import { personaOf } from './personas.ts';
import { readableText } from './viewer-tags.ts';

export interface SotopiaOptions {
  name: string;
  /** The two agents, in speaking order. */
  agents: [string, string];
  /** Number of combinations of each scenario, from the first on; all by default. */
  combinations?: number;
  /** Number of episodes of each combination and condition. */
  episodes: number;
}

interface Published {
  scenarios: SotopiaScenarios;
  agents: SotopiaAgents;
  combinations: SotopiaCombination[];
}

/** SOTOPIA's limit. */
const MAX_TURNS = 20;
const MAX_TOKENS = 64;

/**
 * @param folder with envs.json, agents.json and env_agent_combos.json
 * @throws EntrainError `STUDY_INVALID` naming the file and the field, or the id that is missing
 */
export async function importSotopia(folder: string, options: SotopiaOptions): Promise<Study> {
  const at = (file: string): string => join(folder, file);
  const read = async (file: string): Promise<unknown> => readJson(at(file));
  const checked = { code: 'STUDY_INVALID' } as const;
  const published: Published = {
    scenarios: parseMessage(sotopiaScenariosSchema, await read('envs.json'), {
      ...checked,
      what: at('envs.json'),
    }),
    agents: parseMessage(sotopiaAgentsSchema, await read('agents.json'), {
      ...checked,
      what: at('agents.json'),
    }),
    combinations: parseMessage(sotopiaCombinationsSchema, await read('env_agent_combos.json'), {
      ...checked,
      what: at('env_agent_combos.json'),
    }),
  };
  const chosen = firstOfEach(published.combinations, options.combinations ?? Infinity);
  if (chosen.length === 0)
    throw new EntrainError(
      'STUDY_INVALID',
      `${at('env_agent_combos.json')} has no combination: expected some.`,
    );
  const study = {
    name: options.name,
    pairs: [options.agents],
    scenarios: chosen.map((combination) => scenarioOf(combination, published)),
    conditions: ['live', 'monologue'],
    episodes: options.episodes,
    maxTurns: MAX_TURNS,
    maxTokens: MAX_TOKENS,
  };
  return parseMessage(studySchema, study, { ...checked, what: `The study of ${folder}` });
}

async function readJson(file: string): Promise<unknown> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new EntrainError('STUDY_INVALID', `${file} cannot be read: expected a file of SOTOPIA.`, { cause });
  });
  const decoded = decodeText(bytes);
  if ('fault' in decoded) throw new EntrainError('STUDY_INVALID', `${file} ${decoded.fault}.`);
  const parsed = parseJsonText(decoded.text);
  if ('fault' in parsed) throw new EntrainError('STUDY_INVALID', `${file} ${parsed.fault}.`);
  return parsed.value;
}

/** At most so many combinations of each scenario, in their order. */
function firstOfEach(combinations: readonly SotopiaCombination[], most: number): SotopiaCombination[] {
  const taken = new Map<string, number>();
  return combinations.filter(({ env_id: id }) => {
    const count = (taken.get(id) ?? 0) + 1;
    taken.set(id, count);
    return count <= most;
  });
}

function scenarioOf(
  { pk, env_id: id, agent_ids: agentIds }: SotopiaCombination,
  { scenarios, agents }: Published,
): { id: string; text: string; people: Person[] } {
  const missing = (what: string): EntrainError =>
    new EntrainError(
      'STUDY_INVALID',
      `Combination ${pk} names ${what}, which is in no file: expected all files of one release.`,
    );
  if (!Object.hasOwn(scenarios, id)) throw missing(`scenario ${id}`);
  const { codename, scenario, agent_goals: goals, relationship } = scenarios[id] as SotopiaScenarios[string];
  const [first, second] = agentIds.map((agent) => {
    if (!Object.hasOwn(agents, agent)) throw missing(`agent ${agent}`);
    return agents[agent] as SotopiaAgents[string];
  }) as [SotopiaAgents[string], SotopiaAgents[string]];
  const text = readableText(scenario, 'both');
  const person = (at: 0 | 1, own: typeof first, other: typeof first): Person => ({
    persona: [personaOf(own, other, relationship), ownPart(scenario, text, at)].filter(Boolean).join(' '),
    goal: readableText(goals[at], at),
    secret: own.secret,
  });
  return { id: idOf(codename, pk), text, people: [person(0, first, second), person(1, second, first)] };
}

/** All that one agent may read of a scenario; empty if that is what both may read. */
function ownPart(scenario: string, shared: string, at: 0 | 1): string {
  const own = readableText(scenario, at);
  return own === shared ? '' : own;
}

/** An id from the codename, which is readable, and the primary key, which is unique. */
function idOf(codename: string, pk: string): string {
  const clean = (text: string): string => text.replaceAll(/[^A-Za-z0-9_-]+/g, '-');
  const unique = clean(pk).slice(0, 32);
  return `${clean(codename).slice(0, 63 - unique.length)}-${unique}`;
}
