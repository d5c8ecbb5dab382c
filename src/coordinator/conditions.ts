/** What a condition means for one agent of an episode: what it hears, how it samples, and what it is told. */
import type { AgentSpec, Hears } from '../protocol/nats-messages.ts';
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
  switch (condition) {
    case 'live':
    case 'reader':
    case 'paper-reader':
      return 'all';
    case 'monologue':
      return 'none';
    case 'shared-input':
      return { script };
    case 'random':
      return { script: randomScript(study, episode, index) };
    default:
      return { dose: Number(condition.slice('dose:'.length)) };
  }
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
  const vocabulary = [...new Set(study.scenarios.flatMap(({ text }) => text.split(/\s+/)))]
    .filter(Boolean)
    .sort();
  const wordAt = (line: number, place: number): string =>
    vocabulary[deriveSeed(seed, 'random', index, line, place) % vocabulary.length] ?? '';
  const lines = Math.ceil(study.maxTurns / order.length);
  return Array.from({ length: lines }, (_, line) =>
    Array.from({ length: RANDOM_WORDS }, (_word, place) => wordAt(line, place)).join(' '),
  );
}
