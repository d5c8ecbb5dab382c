/**
 * The families of task scenarios: facts, and what each of two agents is told of them. Every draw stands in the order of
 * `training/entrain_training/tasks/scenario.py`, so that both give the same scenarios.
 */
import type { TaskFamily } from '../protocol/scenarios/scenario-sets.ts';
import type { Person } from '../protocol/study.ts';
import type { TaskSource } from './task-source.ts';

export interface TaskFacts {
  friend: { names: [string[], string[]]; shared: string };
  divide: { items: string[]; values: [Record<string, number>, Record<string, number>] };
  price: { item: string; seller: number; low: number; high: number };
  meet: {
    kind: string;
    slots: [string[], string[]];
    places: [string[], string[]];
    slot: string;
    place: string;
  };
  secret: { thing: string; value: string; word: string; said: string; told: boolean; holder: number };
  know: { thing: string; from: string; to: string; mover: string; knower: number };
  wish: { acts: string[] };
}

/** Agents of facts are numbered from 0. */
export interface Task<Family extends TaskFamily = TaskFamily> {
  text: string;
  people: Person[];
  facts: TaskFacts[Family];
}

type Families = { [Family in TaskFamily]: (source: TaskSource) => Task<Family> };

export const FAMILIES: Families = { friend, divide, price, meet, secret, know, wish };

const person = (persona: string, goal: string, secret: string): Person => ({ persona, goal, secret });

/** "a, b and c". */
const joined = (words: readonly string[]): string =>
  words.length === 1 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

const swapped = (people: Person[], by: number): Person[] => (by === 1 ? people.toReversed() : people);

/** Tuples from the two agents in order. */
const forBoth = <T>(make: (agent: 0 | 1) => T): [T, T] => [make(0), make(1)];

function friend({ some, draws, persona, line, of, idleSecret }: TaskSource): Task<'friend'> {
  const [shared, ...others] = some('names', 5) as [string, ...string[]];
  const names = forBoth((agent) => draws.sample([shared, ...others.slice(2 * agent, 2 * agent + 2)], 3));
  const people = names.map((known) =>
    person(persona(line('persona', { names: joined(known) })), of('goal'), idleSecret()),
  );
  return { text: of('scenario'), people, facts: { names, shared } };
}

function divide({ some, draws, persona, line }: TaskSource): Task<'divide'> {
  const items = some('items', 3) as [string, string, string];
  const tops = draws.sample([0, 1, 2], 2);
  const people: Person[] = [];
  const values = forBoth((agent) => {
    const top = tops[agent] ?? 0;
    const least = draws.pick([0, 1, 2].filter((place) => place !== top));
    const told = { top: items[top] ?? '', least: items[least] ?? '' };
    people.push(person(persona(), line('goal', told), line('secret', told)));
    return Object.fromEntries(
      items.map((item, place) => [item, place === top ? 3 : place === least ? 0 : 2]),
    );
  });
  const listed = `the ${joined([items[0], `the ${items[1]}`, `the ${items[2]}`])}`;
  return { text: line('scenario', { items: listed }), people, facts: { items, values } };
}

function price({ prices, of, draws, persona, line }: TaskSource): Task<'price'> {
  const [first, last, step] = prices();
  const item = of('items');
  const seller = draws.below(2);
  const gap = 1 + draws.below(6);
  const low = first + step * (1 + draws.below(Math.floor((last - first) / step) - gap - 1));
  const facts = { item, seller, low, high: low + step * gap };
  const people = ['seller', 'buyer'].map((role) =>
    person(persona(line(`${role}Persona`, facts)), line(`${role}Goal`, facts), line(`${role}Secret`, facts)),
  );
  return { text: line('scenario', facts), people: swapped(people, seller), facts };
}

function meet({ draws, some, line, of, idleSecret }: TaskSource): Task<'meet'> {
  const kind = draws.pick(['day', 'hour']);
  const [slot, ...times] = some(`${kind}s`, 5) as [string, ...string[]];
  const [place, ...elsewhere] = some('places', 3) as [string, ...string[]];
  const slots = forBoth((agent) => draws.sample([slot, ...times.slice(2 * agent, 2 * agent + 2)], 3));
  const places = forBoth((agent) => draws.sample([place, elsewhere[agent] ?? ''], 2));
  const people = [0, 1].map((agent) => {
    const free = line(`${kind}Persona`, { slots: joined(slots[agent as 0 | 1]) });
    const near = line('placePersona', { places: places[agent as 0 | 1].join(' and the ') });
    return person(`${free} ${near}`, of('goal'), idleSecret());
  });
  return { text: of('scenario'), people, facts: { kind, slots, places, slot, place } };
}

function secret({ of, some, draws, persona, line, idleSecret }: TaskSource): Task<'secret'> {
  const thing = of('things');
  const value = of('values');
  const [word, other] = some('words', 2) as [string, string];
  const holder = draws.below(2);
  const told = draws.below(3) > 0;
  const facts = { thing, value, word, said: told ? word : other, holder };
  const people = [
    person(persona(), line('holderGoal', facts), line('holderSecret', facts)),
    person(persona(line('askerPersona', facts)), line('askerGoal', facts), idleSecret()),
  ];
  return { text: line('scenario', facts), people: swapped(people, holder), facts: { ...facts, told } };
}

function know({ of, some, draws, persona, line, idleSecret }: TaskSource): Task<'know'> {
  const thing = of('things');
  const [from, to] = some('places', 2) as [string, string];
  const knower = draws.below(2);
  const facts = { thing, from, to, mover: of('movers'), knower };
  const people = ['knower', 'seeker'].map((role) =>
    person(persona(line(`${role}Persona`, facts)), line(`${role}Goal`, facts), idleSecret()),
  );
  return { text: line('scenario', facts), people: swapped(people, knower), facts };
}

/** How often, in per cent, what one hides is about the wish. */
const WISH_SECRET = 30;

function wish({ draws, acts, words, chance, line, idleSecret, persona, of }: TaskSource): Task<'wish'> {
  const wishes = draws
    .sample(acts(), 2)
    .map(({ verb, noun }) => `${draws.pick(verb)} ${draws.pick(noun[words])}`);
  const people = wishes.map((v) => {
    const hidden = chance(WISH_SECRET) ? line('secret', { v }) : idleSecret();
    const V = v.slice(0, 1).toUpperCase() + v.slice(1);
    return person(persona(of('personas')), line('goal', { v, V }), hidden);
  });
  const [a = '', b = ''] = wishes;
  return { text: line('scenario', { a, b }), people, facts: { acts: wishes } };
}
