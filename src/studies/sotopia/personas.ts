/**
 * Writes an agent's persona and what it knows of the other, which depends on their relationship:
 *
 *   0 strangers      nothing
 *   1 by name        the name
 *   2 acquaintances  name, age, occupation, pronouns and public information
 *   3 to 5           the same with personality and values
 *
 * Neither agent ever knows the other's goal or secret.
 */
import type { SotopiaAgent } from '../../protocol/scenarios/sotopia.ts';

const ACQUAINTANCES = 2;
const FRIENDS = 3;

/** The text that an agent gets about itself and the other. */
export function personaOf(own: SotopiaAgent, other: SotopiaAgent, relationship: number): string {
  return `I am ${publicly(own)} ${own.personality_and_values} ${knownOf(other, relationship)}`
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function knownOf(other: SotopiaAgent, relationship: number): string {
  if (relationship === 0) return 'I have never met the other person.';
  if (relationship < ACQUAINTANCES) return `I know the other person by name: ${nameOf(other)}.`;
  const values = relationship < FRIENDS ? '' : ` ${other.personality_and_values}`;
  return `${KNOWN_AS[relationship] ?? ''} is ${publicly(other)}${values}`;
}

const KNOWN_AS: Readonly<Record<number, string>> = {
  2: 'The other person, whom I know a little,',
  3: 'The other person, a friend of mine,',
  4: 'The other person, my partner,',
  5: 'The other person, who belongs to my family,',
};

const nameOf = ({ first_name: first, last_name: last }: SotopiaAgent): string => `${first} ${last}`.trim();

function publicly(agent: SotopiaAgent): string {
  const { age, occupation, gender_pronoun: pronoun, public_info: known } = agent;
  return `${nameOf(agent)}, ${age} years old, ${occupation} (${pronoun}). ${known}`;
}
