/**
 * Writes out a study that names models and their pairings. Each model is an agent of its name; one that meets itself
 * is two, the second with `-2` behind its name.
 */
import { EntrainError } from '../../protocol/errors.ts';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { pairingsSchema, type Pairings } from '../../protocol/study.ts';

/**
 * @param study as parsed, before it is checked
 * @param what the study is called in a refusal
 * @throws EntrainError `STUDY_INVALID`
 */
export function withPairings(study: unknown, what: string): unknown {
  if (typeof study !== 'object' || study === null || !Object.hasOwn(study, 'pairings')) return study;
  const { pairings, models, ...rest } = study as Record<string, unknown>;
  const refuse = (fault: string): EntrainError => new EntrainError('STUDY_INVALID', `${what} ${fault}.`);
  if (Object.hasOwn(rest, 'pairs')) throw refuse('has pairs and pairings: expected one of them');
  if (Object.hasOwn(rest, 'reader'))
    throw refuse(
      'has pairings and a reader, which would need the model of each pair: expected pairs of agents instead',
    );
  if (models === undefined) throw refuse('has pairings and no models: expected "models": {NAME: DIR, …}');
  const asked = parseMessage(pairingsSchema, { models, pairings }, { code: 'STUDY_INVALID', what });
  const fault = faultOf(asked);
  if (fault !== undefined) throw refuse(fault);
  return { order: 'shuffled', ...rest, ...writtenOut(asked) };
}

function faultOf({ models, pairings }: Pairings): string | undefined {
  const listed = Array.isArray(pairings) ? pairings : [];
  const unknown = listed.flat().find((name) => !Object.hasOwn(models, name));
  const names = Object.keys(models);
  if (unknown !== undefined)
    return `pairs "${unknown}", which is none of its models: expected ${names.map((name) => `"${name}"`).join(', ')}`;
  const keys = listed.map((pair) => pair.toSorted().join(' and '));
  const twice = keys.find((key, at) => keys.indexOf(key) !== at);
  if (twice !== undefined)
    return `has ${twice} twice in pairings: expected it once, for both speaking orders are played`;
  const taken = names.find((name) => Object.hasOwn(models, secondOf(name)));
  if (taken !== undefined)
    return `has a model "${secondOf(taken)}", which is the name of the second agent of "${taken}": expected another name`;
  return undefined;
}

const secondOf = (model: string): string => `${model}-2`;

function writtenOut({ models, pairings }: Pairings): Pick<Pairings, 'models'> & { pairs: string[][] } {
  const names = Object.keys(models);
  const pairs = ordered(names, pairings).map(([first, second]) => [
    first,
    first === second ? secondOf(second) : second,
  ]);
  const playing = new Set(pairs.flat());
  const agents = Object.entries(models).flatMap(([name, folder]) => [
    [name, folder],
    [secondOf(name), folder],
  ]);
  return { pairs, models: Object.fromEntries(agents.filter(([agent]) => playing.has(agent as string))) };
}

/** Pairs of models in speaking order. */
function ordered(names: readonly string[], pairings: Pairings['pairings']): [string, string][] {
  if (pairings === 'self') return names.map((name) => [name, name]);
  if (pairings === 'all-ordered')
    return names.flatMap((first) => names.map((second): [string, string] => [first, second]));
  return pairings.flatMap(([first, second]): [string, string][] =>
    first === second
      ? [[first, second]]
      : [
          [first, second],
          [second, first],
        ],
  );
}
