/**
 * Computes the size of a study before it begins: episodes, turns, turn pairs of each group beside the minimums, tokens,
 * disk space, time and context length.
 */
import { groupSizes, hopelessStudy, MINIMUMS, type GroupSize } from '../protocol/minimums.ts';
import { basisEpisodes, branchesOfLater, countVersions } from '../protocol/branches.ts';
import { expectedOfStudy, gigabytes, TOKENS_PER_S } from '../protocol/recording-size.ts';
import { agentsOf, type Study } from '../protocol/study.ts';

/** Facts of an agent's model that are known without loading it. */
export interface PlannedModel {
  name: string;
  /** Path of its folder; agents with the same path share a model. */
  path: string;
  layers: number;
  dims: number;
  contextTokens: number;
  countTokens(text: string): number;
}

export interface StudyPlan {
  lines: string[];
  /** Why some groups can give no score; undefined if all can. */
  note: string | undefined;
}

/** @param models by agent; without an agent's model, its disk space and context are not given */
export function planStudy(study: Study, models: ReadonlyMap<string, PlannedModel>): StudyPlan {
  const { scenarios, pairs, conditions, maxTurns, maxTokens } = study;
  const episodes = scenarios.length * pairs.length * conditions.length * study.episodes;
  const tokens = episodes * maxTurns * maxTokens;
  const modelOf = (agent: string): string | undefined => models.get(agent)?.path;
  const known = models.size > 0 ? modelOf : undefined;
  return {
    lines: [
      `${study.name}: ${scenarios.length} scenarios × ${pairs.length} ${pairs.length === 1 ? 'order' : 'orders'} × ${conditions.length} conditions × ${study.episodes} = ${count(episodes)} episodes`,
      `turns    ${count(episodes * maxTurns)} at most, ${maxTurns} an episode`,
      `tokens   ${count(tokens)} at most, ${maxTokens} a turn`,
      `time     ${duration(tokens / TOKENS_PER_S)} at ${TOKENS_PER_S} tokens/s, one episode at a time`,
      ...branchLines(study, episodes * maxTurns),
      ...eachOnce(groupSizes(study, known).map(groupLine)),
      ...diskLines(study, models),
      ...contextLines(study, models),
    ],
    note: hopelessStudy(study, known),
  };
}

const count = (n: number): string => n.toLocaleString('en');

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** Every word of an alternative is also spoken and heard. */
function branchLines(study: Study, turns: number): string[] {
  const { branches, maxTokens, episodes } = study;
  if (!branches) return [];
  const branched = Math.round(turns * branches.share);
  const { alternatives, patch } = branches;
  const first = basisEpisodes(study);
  const moved = Math.round(
    ((branched * (episodes - first)) / episodes) * (countVersions(branchesOfLater(study)) - alternatives),
  );
  return [
    ...(patch
      ? [
          `patches  about ${count(moved)} versions with a moved state, of ${count(moved * maxTokens)} tokens at most; ${first === 1 ? 'the first episode of each scenario has none' : `the first ${first} episodes of each scenario have none, and give the states`}`,
        ]
      : []),
    `branches about ${count(branched)} turns, with ${count(branched * alternatives)} alternatives of ${count(branched * alternatives * maxTokens)} tokens at most`,
  ];
}

function groupLine({ agents, source, target, counts, short }: GroupSize): string {
  const { scenarios, episodes, samples } = counts;
  const place = agents === 2 ? `${source + 1} → ${target + 1}` : `${source + 1} → ${target + 1} of ${agents}`;
  const needed = `${MINIMUMS.scenarios}, ${MINIMUMS.episodes}, ${MINIMUMS.samples}`;
  return `group    ${place}, each condition: ${scenarios} scenarios, ${episodes} episodes, ${count(samples)} turn pairs (needed: ${needed})${short === undefined ? '' : `; too few: ${short}`}`;
}

/** Lines that are equal stand once, with their number. */
function eachOnce(lines: readonly string[]): string[] {
  return [...new Set(lines)].map((line) => {
    const times = lines.filter((other) => other === line).length;
    return times === 1 ? line : `${line}; ${times} such groups`;
  });
}

function diskLines(study: Study, models: ReadonlyMap<string, PlannedModel>): string[] {
  if ([...agentsOf(study)].some((agent) => !models.has(agent))) return ['disk     not known without --model'];
  const announced = new Map([...models].map(([agent, model]) => [agent, { ...model, sha256: '' }]));
  return [`disk     ${gigabytes(expectedOfStudy(study, announced).studyBytes)} at most`];
}

/** Tokens that a chat template adds around a prompt. */
const TEMPLATE_TOKENS = 64;

/** For each model, its longest prompt if it leaves no room for one utterance heard and one spoken. */
function contextLines(study: Study, models: ReadonlyMap<string, PlannedModel>): string[] {
  const different = new Map([...models.values()].map((model) => [model.path, model]));
  return [...different.values()].map(({ name, contextTokens, countTokens }) => {
    const longest = study.scenarios
      .flatMap(({ id, text, people }) =>
        people.map(({ persona, goal, secret }) => {
          const tokens = countTokens([text, persona, goal, secret].join('\n')) + TEMPLATE_TOKENS;
          return { id, tokens };
        }),
      )
      .reduce((most, one) => (one.tokens > most.tokens ? one : most));
    const fits = longest.tokens + 2 * study.maxTokens <= contextTokens;
    return `context  ${name}: about ${count(longest.tokens)} of ${count(contextTokens)} tokens for the longest prompt (${longest.id}), ${fits ? 'fits' : `too long with two utterances of ${study.maxTokens} tokens`}`;
  });
}
