/**
 * A scenario written by hand, with persons drawn by seed. Their relationship decides what one is told of the other:
 *
 *   0 strangers      nothing
 *   1 by name        the name
 *   2 acquaintances  name and work
 *   3 to 5           name, work and what the other likes
 *
 * The sentence of its own, goal and secret are told to each alone.
 */
import type { Character, SocialScenarios, SocialSet } from '../protocol/scenarios/scenario-sets.ts';
import { deriveSeed } from '../protocol/seed.ts';
import type { Person, ScenarioInput } from '../protocol/study.ts';
import { createDraws } from './draws.ts';

/** @param number from 1; beyond the scenarios of the set they come again with other persons */
export function socialScenario(
  { people, sets }: SocialScenarios,
  { set, number }: { set: SocialSet; number: number },
): ScenarioInput {
  const { scenarios } = sets[set];
  const { text, relationship, goals, secrets } = scenarios[
    (number - 1) % scenarios.length
  ] as (typeof scenarios)[0];
  const draws = createDraws(deriveSeed('social', set, number));
  const [first, second, third] = draws.sample(people, 3) as [Character, Character, Character];
  const person = (own: Character, at: 0 | 1): Person => ({
    persona: `${personaOf(own)} ${knownOf(at === 0 ? second : first, relationship)}`.trim(),
    goal: goals[at],
    secret: `${secrets[at]} ${own.secret}`,
  });
  return {
    id: `${set}-${number}`,
    text,
    people: [person(first, 0), person(second, 1)],
    reader: { persona: personaOf(third), goal: '', secret: third.secret },
  };
}

const personaOf = ({ name, work, likes, own }: Character): string =>
  `I am ${name}, ${work}. I like ${likes}. ${own}`;

/** What one is told of the other. */
function knownOf({ name, work, likes }: Character, relationship: number): string {
  switch (relationship) {
    case 0:
      return '';
    case 1:
      return `The other is ${name}.`;
    case 2:
      return `I know ${name} a little. ${name} is ${work}.`;
    default:
      return `${name}, ${KNOWN_AS[relationship]}, is ${work} and likes ${likes}.`;
  }
}

const KNOWN_AS: Readonly<Record<number, string>> = { 3: 'my friend', 4: 'my partner', 5: 'of my family' };
