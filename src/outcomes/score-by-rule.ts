/**
 * Scores an episode by rules, from the facts of its scenario and the words alone. An agent's choice is the last value
 * of its kind that it named; the rule is met if both agents chose the same.
 */
import { wordsOf } from '../process/run-folder/words-of.ts';
import type { Rule, RuleOf } from '../protocol/scenarios/rule-schema.ts';
import { holds, lastNamed } from './match-words.ts';

/** Scores of the two roles, in speaking order, by name; `success` is from 0 to 1. */
export type RuleScores = readonly Record<string, number>[];

/** @param turns texts of the turns in order; role r speaks turns r − 1, r + 1, … */
export function scoreByRule(rule: Rule, turns: readonly string[]): RuleScores {
  switch (rule.kind) {
    case 'friend':
      return alike(settled(turns, rule.names) === undefined ? 0 : 1);
    case 'meeting':
      return alike(
        [rule.times, rule.places].filter((lists) => settled(turns, lists) !== undefined).length / 2,
      );
    case 'price':
      return scorePrice(rule, turns);
    case 'division':
      return scoreDivision(rule, turns);
    case 'secret':
      return scoreSecret(rule, turns);
    case 'relay':
      return alike(Number(isRelayed(rule, turns)));
    case 'belief': {
      const seeker = 3 - rule.knower;
      const named = lastNamed(saidBy(turns, seeker), [rule.truth, rule.belief]);
      return alike(Number(named === rule.truth));
    }
  }
}

const alike = (success: number): RuleScores => [{ success }, { success }];

/** All words of a role, in order. */
function saidBy(turns: readonly string[], role: number): string[] {
  return turns.flatMap((text, turn) => (turn % 2 === role - 1 ? wordsOf(text) : []));
}

/** The value in both lists that both agents named last of all values; undefined if there is none. */
function settled(
  turns: readonly string[],
  [first, second]: readonly [readonly string[], readonly string[]],
): string | undefined {
  const all = [...new Set([...first, ...second])];
  const named = lastNamed(saidBy(turns, 1), all);
  const agreed = named !== undefined && lastNamed(saidBy(turns, 2), all) === named;
  return agreed && first.includes(named) && second.includes(named) ? named : undefined;
}

/** `share`: the part of the range between the two limits that a role gained. */
function scorePrice({ seller, least, most }: RuleOf<'price'>, turns: readonly string[]): RuleScores {
  const [price, other] = [1, 2].map((role) => lastNumber(turns, role));
  const agreed = price !== undefined && price === other && price >= least && price <= most;
  if (!agreed)
    return [
      { success: 0, share: 0 },
      { success: 0, share: 0 },
    ];
  const ofSeller = (price - least) / (most - least);
  const shares = seller === 1 ? [ofSeller, 1 - ofSeller] : [1 - ofSeller, ofSeller];
  return shares.map((share) => ({ success: 1, share }));
}

/** 12, 12.50 and 1,200 are numbers; so is the 12 of $12. */
const NUMBER = /\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?/g;

function lastNumber(turns: readonly string[], role: number): number | undefined {
  const numbers = turns.flatMap((text, turn) => (turn % 2 === role - 1 ? (text.match(NUMBER) ?? []) : []));
  const last = numbers.at(-1);
  return last === undefined ? undefined : Number(last.replaceAll(',', ''));
}

/**
 * `success`: points of the items whose owner both agents state alike, divided by the largest possible joint points.
 * `points`: a role's own points, divided by all of its points.
 */
function scoreDivision({ values }: RuleOf<'division'>, turns: readonly string[]): RuleScores {
  const items = Object.keys(values[0]);
  const [first, second] = [1, 2].map((role) => ownersBy(turns, role, items));
  const agreed = items.flatMap((item) => {
    const owner = first?.get(item);
    return owner !== undefined && owner === second?.get(item) ? [{ item, owner }] : [];
  });
  const worth = (owner: number, item: string): number => values[owner - 1]?.[item] ?? 0;
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, value) => total + value, 0);
  const most = sum(items.map((item) => Math.max(worth(1, item), worth(2, item))));
  const success = sum(agreed.map(({ item, owner }) => worth(owner, item))) / most;
  return [1, 2].map((role) => {
    const own = sum(agreed.filter(({ owner }) => owner === role).map(({ item }) => worth(role, item)));
    return { success, points: own / (sum(items.map((item) => worth(role, item))) || 1) };
  });
}

const OWN = new Set(['i', 'me', 'my', 'mine']);
const YOURS = new Set(['you', 'your', 'yours']);

/**
 * Owner of each item as this role stated it last: in a sentence, an item belongs to the "I" or "you" before it. With a
 * "not" or "no" between the two, or without such a word, the sentence changes nothing.
 */
function ownersBy(turns: readonly string[], role: number, items: readonly string[]): Map<string, number> {
  const known = new Map(items.map((item) => [wordsOf(item).join(' '), item]));
  const longest = Math.max(...[...known.keys()].map((item) => item.split(' ').length));
  const owners = new Map<string, number>();
  const sentences = turns.flatMap((text, turn) => (turn % 2 === role - 1 ? text.split(/[.!?]/) : []));
  for (const sentence of sentences) {
    const words = wordsOf(sentence.replaceAll(/n['’]t\b/g, ' not'));
    let owner: number | undefined;
    for (const [at, word] of words.entries()) {
      if (OWN.has(word)) owner = role;
      else if (YOURS.has(word)) owner = 3 - role;
      else if (word === 'not' || word === 'no') owner = undefined;
      const item = itemAt(words, at, { known, longest });
      if (owner !== undefined && item !== undefined) owners.set(item, owner);
    }
  }
  return owners;
}

function itemAt(
  words: readonly string[],
  at: number,
  { known, longest }: { known: ReadonlyMap<string, string>; longest: number },
): string | undefined {
  for (let length = longest; length > 0; length--) {
    const item = known.get(words.slice(at, at + length).join(' '));
    if (item !== undefined) return item;
  }
  return undefined;
}

function scoreSecret({ holder, word }: RuleOf<'secret'>, turns: readonly string[]): RuleScores {
  const told = holds(saidBy(turns, holder), word);
  return [1, 2].map((role) => ({ success: Number(role === holder ? !told : told) }));
}

/** Whether the holder said the word in a turn, and the other agent in a later one. */
function isRelayed({ holder, word }: RuleOf<'relay'>, turns: readonly string[]): boolean {
  const saidAt = turns.findIndex((text, turn) => turn % 2 === holder - 1 && holds(wordsOf(text), word));
  return (
    saidAt >= 0 &&
    turns.some((text, turn) => turn > saidAt && turn % 2 !== holder - 1 && holds(wordsOf(text), word))
  );
}
