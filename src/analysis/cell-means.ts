/** Means of values over ordered pairs of models, collected one value at a time. */
import type { AgentModel } from '../protocol/agent-model.ts';
import type { PairTable } from '../synchrony/stats/qap.ts';

/** Sums and counts of each cell, by the keys of row and column. */
export type CellSums = Map<string, { sum: number; count: number }>;

/** A key of the model, which is noted; models of the same name with other weights are two. */
export function noteModel(models: Map<string, AgentModel>, model: AgentModel): string {
  const key = `${model.name}@${model.sha256}`;
  models.set(key, model);
  return key;
}

export function addValue(sums: CellSums, pair: readonly [string, string], value: number): void {
  const key = pair.join('\n');
  const { sum, count } = sums.get(key) ?? { sum: 0, count: 0 };
  sums.set(key, { sum: sum + value, count: count + 1 });
}

/** [models, models] in the order of `keys`; undefined where there is no value. */
export const meansOf = (sums: CellSums, keys: readonly string[]): PairTable =>
  keys.map((row) =>
    keys.map((column) => {
      const found = sums.get(`${row}\n${column}`);
      return found && found.sum / found.count;
    }),
  );

/** The start of the hash stands behind a name that several models have. */
export function namesOf(keys: readonly string[], models: ReadonlyMap<string, AgentModel>): string[] {
  const names = keys.map((key) => models.get(key)?.name ?? key);
  return names.map((name, at) =>
    names.filter((other) => other === name).length === 1
      ? name
      : `${name}@${(models.get(keys[at] ?? '')?.sha256 ?? '').slice(0, 8)}`,
  );
}
