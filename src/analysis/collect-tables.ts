/**
 * Collects figures of synchrony (`scores.jsonl`), of words (`transcript.jsonl`) and outcomes (`outcomes.jsonl`) of
 * several runs in tables over ordered pairs of models.
 * Row: the model whose states predict, or that spoke; column: the model whose states are predicted, or that replied.
 */
import { readOutcomes } from '../process/run-folder/outcomes-file.ts';
import { readTalk, type RunTalk } from '../process/run-folder/read-talk.ts';
import type { AgentModel } from '../protocol/agent-model.ts';
import { readScores } from '../recordings/read-scores.ts';
import type { PairTable } from '../synchrony/stats/qap.ts';
import { addValue, meansOf, namesOf, noteModel, type CellSums } from './cell-means.ts';
import { episodePoints, type EpisodePoint } from './episode-points.ts';
import { FIGURES, lastLines, valueOf, type FigureLine } from './figures.ts';
import { wordOverlaps } from './word-overlap.ts';

export interface Collected {
  /** Names; the start of the hash is added if two models have the same name. */
  models: string[];
  /** SHA-256 of each. */
  hashes: string[];
  /** Figures that may go with outcomes, the strict excess first. */
  figures: FigureTable[];
  outcomes: OutcomeTables[];
  /** Synchrony and outcome of single episodes. */
  episodes: EpisodePoint[];
  /** From the studies, those that all of the models have: values by model, by the name of the covariate. */
  covariates: Covariates;
  /** Number of groups left out because their figures are still provisional. */
  provisional: number;
}

/** Values of each model, by the name of the covariate. */
export type Covariates = ReadonlyMap<string, ReadonlyMap<string, number>>;

export interface FigureTable {
  /** Such as `excess` or `influence`. */
  name: string;
  /** A figure of the words alone, to which synchrony is compared. */
  isRival: boolean;
  table: PairTable;
}

export interface OutcomeTables {
  /** Source and name, such as `judge goal`. */
  name: string;
  /** Mean over both agents of a dialogue. */
  both: PairTable;
  /** Outcome of the predicted agent alone, mean over dyads. */
  predicted: PairTable;
}

interface Collecting {
  condition: string;
  models: Map<string, AgentModel>;
  figures: Map<string, CellSums>;
  outcomes: Map<string, { both: CellSums; predicted: CellSums }>;
  episodes: EpisodePoint[];
  /** By covariate, then by the key of the model. */
  covariates: Map<string, Map<string, number>>;
  provisional: number;
}

/** @throws EntrainError `RUN_INVALID` */
export async function collectTables(folders: readonly string[], condition: string): Promise<Collected> {
  const into: Collecting = {
    condition,
    models: new Map(),
    figures: new Map([...FIGURES.map(({ name }) => name), ...BESIDE_STATES].map((name) => [name, new Map()])),
    outcomes: new Map(),
    episodes: [],
    covariates: new Map(),
    provisional: 0,
  };
  for (const folder of folders) {
    const talk = await readTalk(folder);
    const { lines } = await readScores(folder);
    takeFigures(lines, into);
    takeCovariates(talk, into);
    takeWords(talk, into);
    await takeOutcomes(talk, lines, into);
  }
  return tablesOf(into);
}

const OVERLAP = 'word overlap';
/** A coupling of words by the replying model's logits, and so never an outcome. */
const INTRINSIC = 'intrinsic score';
const BESIDE_STATES = [OVERLAP, INTRINSIC];

function takeCovariates({ facts: { study, agents } }: RunTalk, { models, covariates }: Collecting): void {
  for (const [agent, values] of Object.entries(study.covariates ?? {})) {
    const model = agents[agent];
    for (const [name, value] of Object.entries(model ? values : {})) {
      const known = covariates.get(name) ?? new Map<string, number>();
      covariates.set(name, known.set(noteModel(models, model as AgentModel), value));
    }
  }
}

function tablesOf({ models, figures, outcomes, episodes, provisional, ...rest }: Collecting): Collected {
  const keys = [...models.keys()].toSorted();
  const rivals = new Set([
    ...BESIDE_STATES,
    ...FIGURES.flatMap(({ name, isRival }) => (isRival ? [name] : [])),
  ]);
  return {
    models: namesOf(keys, models),
    hashes: keys.map((key) => models.get(key)?.sha256 ?? ''),
    figures: [...figures]
      .filter(([name, sums]) => sums.size > 0 || name === FIGURES[0].name)
      .map(([name, sums]) => ({ name, isRival: rivals.has(name), table: meansOf(sums, keys) })),
    outcomes: [...outcomes]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { both, predicted }]) => ({
        name,
        both: meansOf(both, keys),
        predicted: meansOf(predicted, keys),
      })),
    episodes,
    covariates: wholeCovariates(rest.covariates, keys, namesOf(keys, models)),
    provisional,
  };
}

/** Those that every model has, with the names of the models in the place of their keys. */
function wholeCovariates(
  found: Collecting['covariates'],
  keys: readonly string[],
  names: readonly string[],
): Covariates {
  const whole = [...found].filter(([, values]) => keys.every((key) => values.has(key)));
  return new Map(
    whole.map(([covariate, values]) => [
      covariate,
      new Map(keys.map((key, at) => [names[at] as string, values.get(key) as number])),
    ]),
  );
}

function takeFigures(lines: readonly FigureLine[], into: Collecting): void {
  const ofCondition = lastLines(lines).filter(({ condition }) => condition === into.condition);
  for (const line of ofCondition) {
    const { source, target, provisional, type } = line;
    if (provisional === true) into.provisional += Number(type === 'score');
    else if (source && target)
      for (const figure of FIGURES) {
        const value = valueOf(figure, line);
        const sums = into.figures.get(figure.name);
        if (value !== undefined && sums)
          addValue(sums, [noteModel(into.models, source), noteModel(into.models, target)], value);
      }
  }
}

function takeWords({ facts, episodes }: RunTalk, { condition, models, figures }: Collecting): void {
  const sums = figures.get(OVERLAP);
  const counted = episodes.filter((one) => one.condition === condition && one.order.length === 2);
  const nameOf = (agent: string): string => {
    const model = facts.agents[agent];
    return model ? noteModel(models, model) : '';
  };
  const overlaps = wordOverlaps(counted, ({ scenario, order }) =>
    [scenario, ...order.map((agent) => nameOf(agent))].join('\n'),
  );
  for (const { source, target, value } of overlaps)
    if (sums && facts.agents[source] && facts.agents[target])
      addValue(sums, [nameOf(source), nameOf(target)], value);
}

async function takeOutcomes(
  { folder, facts, episodes }: RunTalk,
  lines: readonly FigureLine[],
  { condition, models, figures, outcomes, episodes: points }: Collecting,
): Promise<void> {
  const counted = new Map(
    episodes
      .filter((one) => one.condition === condition && one.order.length === 2)
      .map((one) => [one.id, one]),
  );
  const found = (await readOutcomes(folder)).filter((line) => line.type === 'outcome');
  for (const line of found) {
    const order = counted.get(line.episode)?.order ?? [];
    const [own, other] = [line.agent, order.find((agent) => agent !== line.agent)].map(
      (agent) => facts.agents[agent ?? ''],
    );
    if (!order.includes(line.agent) || !own || !other) continue;
    const [mine, theirs] = [noteModel(models, own), noteModel(models, other)];
    if (line.source === 'intrinsic') {
      addValue(figures.get(INTRINSIC) ?? new Map(), [theirs, mine], line.value);
      continue;
    }
    const name = `${line.source} ${line.name}`;
    const sums = outcomes.get(name) ?? { both: new Map(), predicted: new Map() };
    outcomes.set(name, sums);
    addValue(sums.predicted, [theirs, mine], line.value);
    addValue(sums.both, [theirs, mine], line.value);
    if (mine !== theirs) addValue(sums.both, [mine, theirs], line.value);
  }
  const modelOf = (agent: string): string => facts.agents[agent]?.sha256 ?? agent;
  const valued = found.filter(({ source }) => source !== 'intrinsic');
  points.push(...episodePoints([...counted.values()], { lines, outcomes: valued, modelOf, condition }));
}
