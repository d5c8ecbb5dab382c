/**
 * Facts of a scenario whose outcome can be read off the words: what a rule scores an episode by. No agent is told a
 * rule. Roles are numbered from 1, in speaking order.
 */
import { z } from 'zod';

const word = z.string().min(1).max(100);
const words = z.array(word).min(1).max(50);
const role = z.int().min(1).max(2);

export const ruleSchema = z.discriminatedUnion('kind', [
  /** Both know names; success is to settle on one that both know. */
  z.strictObject({ kind: z.literal('friend'), names: z.tuple([words, words]) }),
  /** Success is to settle on a time and a place that suit both, half for each. */
  z.strictObject({
    kind: z.literal('meeting'),
    times: z.tuple([words, words]),
    places: z.tuple([words, words]),
  }),
  /** Success is a price that both name, from what the seller takes at least to what the buyer gives at most. */
  z.strictObject({ kind: z.literal('price'), seller: role, least: z.number(), most: z.number() }),
  /** What each item is worth to each; success is the share of the most that both can have together. */
  z.strictObject({
    kind: z.literal('division'),
    values: z.tuple([z.record(word, z.number().min(0)), z.record(word, z.number().min(0))]),
  }),
  /** The holder succeeds by never saying the word, the other by hearing it. */
  z.strictObject({ kind: z.literal('secret'), holder: role, word }),
  /** Success is that the other says the word after the holder did. */
  z.strictObject({ kind: z.literal('relay'), holder: role, word }),
  /** One believes what is no longer true; success is that this one names the truth last. */
  z.strictObject({ kind: z.literal('belief'), knower: role, truth: word, belief: word }),
]);

export type Rule = z.infer<typeof ruleSchema>;
export type RuleOf<Kind extends Rule['kind']> = Extract<Rule, { kind: Kind }>;

/** What a rule needs beyond its form, as a sentence's end; undefined when it can be met. */
export function ruleFault(rule: Rule): string | undefined {
  switch (rule.kind) {
    case 'friend':
      return shares(rule.names) ? undefined : 'names nobody whom both know: expected a name in both lists';
    case 'meeting':
      if (!shares(rule.times)) return 'has no time that suits both: expected one in both lists';
      return shares(rule.places) ? undefined : 'has no place that suits both: expected one in both lists';
    case 'price':
      return rule.least < rule.most
        ? undefined
        : `has least ${rule.least} and most ${rule.most}: expected least below most, or no price suits both`;
    case 'division':
      return divisionFault(rule);
    case 'belief':
      return rule.truth === rule.belief ? 'has one word for truth and belief: expected two' : undefined;
    case 'secret':
    case 'relay':
      return undefined;
  }
}

function divisionFault({ values: [first, second] }: RuleOf<'division'>): string | undefined {
  const items = Object.keys(first);
  const same =
    items.length === Object.keys(second).length && items.every((item) => Object.hasOwn(second, item));
  if (!same) return 'values other items for one than for the other: expected the same items';
  const worth = items.some((item) => (first[item] ?? 0) > 0 || (second[item] ?? 0) > 0);
  return worth ? undefined : 'values every item 0: expected one that is worth something';
}

const shares = ([first, second]: readonly [readonly string[], readonly string[]]): boolean =>
  first.some((one) => second.includes(one));
