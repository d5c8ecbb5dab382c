/** Draws lines of one family of task scenarios from its grammar. */
import type { TaskGrammar, TaskFamily, Words } from '../protocol/scenarios/scenario-sets.ts';
import { deriveSeed } from '../protocol/seed.ts';
import { createDraws, type Draws } from './draws.ts';

/** How often, in per cent, a person has a trait in front of its facts. */
const LEAD = 60;
/** How often a person whose facts need no secret has one. */
const SECRET = 70;

export type Facts = Readonly<Record<string, string | number>>;

interface Act {
  verb: readonly string[];
  noun: Readonly<Record<Words, readonly string[]>>;
}

export interface TaskSource {
  draws: Draws;
  /** One of a list of the family, or of the lists that all families share. */
  of(name: string): string;
  some(name: string, count: number): string[];
  /** A line with its slots filled: `{low}` by `facts.low`. */
  line(name: string, facts: Facts): string;
  /** The lowest and the highest price, and their step. */
  prices(): [number, number, number];
  acts(): readonly Act[];
  words: Words;
  chance(perCent: number): boolean;
  persona(...facts: string[]): string;
  idleSecret(): string;
}

export function createTaskSource(
  grammar: TaskGrammar,
  { family, words, seed }: { family: TaskFamily; words: Words; seed: number },
): TaskSource {
  const draws = createDraws(deriveSeed('task', family, words, seed));
  const entry = (name: string): unknown => grammar[family]?.[name] ?? grammar['shared']?.[name];
  const all = (name: string): readonly string[] => {
    const found = entry(name) as readonly string[] | Record<Words, readonly string[]> | undefined;
    if (found === undefined) throw new Error(`the grammar of ${family} has no ${name}`);
    return 'heldOut' in found ? found[words] : found;
  };
  const of = (name: string): string => draws.pick(all(name));
  const chance = (perCent: number): boolean => draws.below(100) < perCent;
  return {
    draws,
    words,
    of,
    some: (name, count) => draws.sample(all(name), count),
    line: (name, facts) => of(name).replaceAll(/\{(\w+)\}/g, (_, slot: string) => String(facts[slot])),
    prices: () => entry('prices') as [number, number, number],
    acts: () => entry('verbs') as readonly Act[],
    chance,
    persona: (...facts) => [...(chance(LEAD) ? [of('personas')] : []), ...facts].join(' '),
    idleSecret: () => (chance(SECRET) ? of('secrets') : ''),
  };
}
