/**
 * Collects synchrony (`scores.jsonl`) and outcomes (`outcomes.jsonl`) of several runs in tables over ordered pairs of
 * models.
 * Row: the model whose states predict; column: the model whose states are predicted.
 */
import { readOutcomes } from '../process/run-folder/outcomes-file.ts';
import { readTalk, type RunTalk } from '../process/run-folder/read-talk.ts';
import type { AgentModel } from '../protocol/agent-model.ts';
import { readScores } from '../recordings/read-scores.ts';
import type { PairTable } from '../synchrony/stats/qap.ts';

export interface Collected {
  /** Names; the start of the hash is added if two models have the same name. */
  models: string[];
  /** Strict excess, mean over groups and runs. */
  synchrony: PairTable;
  outcomes: OutcomeTables[];
  /** Number of groups left out because their figures are still provisional. */
  provisional: number;
}

export interface OutcomeTables {
  /** Source and name, such as `judge goal`. */
  name: string;
  /** Mean over both agents of a dialogue. */
  both: PairTable;
  /** Outcome of the predicted agent alone, mean over dyads. */
  predicted: PairTable;
}

interface ScoredGroup {
  type: string;
  group?: string;
  condition?: string;
  provisional?: boolean;
  source?: AgentModel;
  target?: AgentModel;
  strict?: { excess?: number } | null;
}

/** Sum and count of each cell's values. */
type Sums = Map<string, { sum: number; count: number }>;

/** @throws EntrainError `RUN_INVALID` */
export async function collectTables(folders: readonly string[], condition: string): Promise<Collected> {
  const synchrony: Sums = new Map();
  const outcomes = new Map<string, { both: Sums; predicted: Sums }>();
  const models = new Map<string, AgentModel>();
  let provisional = 0;
  for (const folder of folders) {
    const talk = await readTalk(folder);
    for (const { strict, source, target, provisional: early } of await groupsOf(folder, condition)) {
      if (early === true) provisional += 1;
      else if (source && target && strict?.excess !== undefined)
        add(synchrony, [note(models, source), note(models, target)], strict.excess);
    }
    await takeOutcomes(talk, condition, { models, outcomes });
  }
  const keys = [...models.keys()].toSorted();
  return {
    models: namesOf(keys, models),
    synchrony: tableOf(synchrony, keys),
    outcomes: [...outcomes]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { both, predicted }]) => ({
        name,
        both: tableOf(both, keys),
        predicted: tableOf(predicted, keys),
      })),
    provisional,
  };
}

/** The last line of each group of the condition. */
async function groupsOf(folder: string, condition: string): Promise<ScoredGroup[]> {
  const { lines } = await readScores(folder);
  const groups = (lines as ScoredGroup[]).filter(
    (line) => line.type === 'score' && line.condition === condition,
  );
  return [...new Map(groups.map((line) => [line.group, line])).values()];
}

async function takeOutcomes(
  { folder, facts, episodes }: RunTalk,
  condition: string,
  {
    models,
    outcomes,
  }: { models: Map<string, AgentModel>; outcomes: Map<string, { both: Sums; predicted: Sums }> },
): Promise<void> {
  const counted = new Map(episodes.filter((one) => one.condition === condition).map((one) => [one.id, one]));
  for (const line of await readOutcomes(folder)) {
    const order = counted.get(line.episode)?.order;
    if (line.type !== 'outcome' || order?.length !== 2) continue;
    const [own, other] = [line.agent, order.find((agent) => agent !== line.agent)].map(
      (agent) => facts.agents[agent ?? ''],
    );
    if (!own || !other) continue;
    const name = `${line.source} ${line.name}`;
    const sums = outcomes.get(name) ?? { both: new Map(), predicted: new Map() };
    outcomes.set(name, sums);
    const [mine, theirs] = [note(models, own), note(models, other)];
    add(sums.predicted, [theirs, mine], line.value);
    add(sums.both, [theirs, mine], line.value);
    if (mine !== theirs) add(sums.both, [mine, theirs], line.value);
  }
}

function note(models: Map<string, AgentModel>, model: AgentModel): string {
  const key = `${model.name}@${model.sha256}`;
  models.set(key, model);
  return key;
}

function add(sums: Sums, pair: readonly string[], value: number): void {
  const key = pair.join('\n');
  const { sum, count } = sums.get(key) ?? { sum: 0, count: 0 };
  sums.set(key, { sum: sum + value, count: count + 1 });
}

function tableOf(sums: Sums, keys: readonly string[]): PairTable {
  return keys.map((row) =>
    keys.map((column) => {
      const found = sums.get(`${row}\n${column}`);
      return found && found.sum / found.count;
    }),
  );
}

function namesOf(keys: readonly string[], models: ReadonlyMap<string, AgentModel>): string[] {
  const names = keys.map((key) => models.get(key)?.name ?? key);
  return names.map((name, at) =>
    names.filter((other) => other === name).length === 1
      ? name
      : `${name}@${(models.get(keys[at] ?? '')?.sha256 ?? '').slice(0, 8)}`,
  );
}
