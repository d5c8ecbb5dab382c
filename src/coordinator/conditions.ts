/** What a condition means for one agent of an episode: what it hears, how it samples, and what it is told. */
import type { AgentSpec, Hears } from '../protocol/nats-messages.ts';
import { heardIn } from '../protocol/scenarios/hears-turn.ts';
import { deriveSeed } from '../protocol/seed.ts';
import type { Person, Sampling, Study } from '../protocol/study.ts';
import type { PlannedEpisode } from './plan.ts';

export type Coupling = Pick<AgentSpec, 'hears' | 'sampling' | 'person' | 'scenario'>;

const NOBODY: Person = { persona: '', goal: '', secret: '' };
const RANDOM_TEMPERATURE = 2;
const RANDOM_WORDS = 12;

/** @param index place among the speakers, or the number of speakers for a reader */
export function couplingOf(study: Study, episode: PlannedEpisode, index: number): Coupling {
  const { scenario, condition, people } = episode;
  const hears = hearsOf(study, episode, index);
  const told = { id: scenario.id, text: scenario.text };
  if (condition !== 'random')
    return { hears, sampling: study.sampling, person: people[index] ?? NOBODY, scenario: told };
  return { hears, sampling: hot(study.sampling), person: NOBODY, scenario: { ...told, text: '' } };
}

function hearsOf(study: Study, episode: PlannedEpisode, index: number): Hears {
  const { condition, script } = episode;
  return (
    heardIn(condition) ?? { script: condition === 'random' ? randomScript(study, episode, index) : script }
  );
}

function hot(sampling: Sampling): Sampling {
  return {
    ...sampling,
    temperature: Math.max(RANDOM_TEMPERATURE, sampling.temperature),
    topK: 0,
    topP: 1,
    minP: 0,
  };
}

/** For each of an agent's turns, random words of the study's scenarios, drawn by seed; each agent gets others. */
function randomScript(study: Study, { order, seed }: PlannedEpisode, index: number): string[] {
  const vocabulary = vocabularyOf(study.scenarios);
  const wordAt = (line: number, place: number): string =>
    vocabulary[deriveSeed(seed, 'random', index, line, place) % vocabulary.length] ?? '';
  const lines = Math.ceil(study.maxTurns / order.length);
  return Array.from({ length: lines }, (_, line) =>
    Array.from({ length: RANDOM_WORDS }, (_word, place) => wordAt(line, place)).join(' '),
  );
}

/** Of a study of hundreds of scenarios it takes longer than a script. */
const vocabularies = new WeakMap<Study['scenarios'], string[]>();

function vocabularyOf(scenarios: Study['scenarios']): string[] {
  const known = vocabularies.get(scenarios);
  if (known) return known;
  const found = [...new Set(scenarios.flatMap(({ text }) => text.split(/\s+/)))].filter(Boolean).sort();
  vocabularies.set(scenarios, found);
  return found;
}
