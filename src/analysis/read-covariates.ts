/**
 * Reads covariates of models, such as their size: a CSV file with the column `model` and one for each covariate. A
 * column `family` holds names, by which correlations are also given.
 */
import { readFile } from 'node:fs/promises';
import { decodeText } from '../process/json-text.ts';
import { EntrainError } from '../protocol/errors.ts';
import { parseCsv } from '../tables/csv.ts';
import type { Covariates } from './collect-tables.ts';

export interface ModelFacts {
  covariates: Covariates;
  /** Family by model; empty without the column. */
  families: ReadonlyMap<string, string>;
}

const FAMILY = 'family';

/**
 * @param models that need a value of each covariate
 * @throws EntrainError `OUTCOMES_INVALID` naming the line, or the model that is missing
 */
export async function readCovariates(file: string, models: readonly string[]): Promise<ModelFacts> {
  const fault = (said: string, cause?: unknown): EntrainError =>
    new EntrainError('OUTCOMES_INVALID', `${file} ${said}.`, { cause });
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw fault('cannot be read: expected a CSV file', cause);
  });
  const decoded = decodeText(bytes);
  if ('fault' in decoded) throw fault(decoded.fault);
  const [header, ...lines] = parseCsv(decoded.text, file);
  const [first, ...names] = (header?.fields ?? []).map((name) => name.trim());
  if (first !== 'model' || names.length === 0)
    throw fault(
      'has no covariate: expected model and the names of covariates, with commas, in its first line',
    );
  const covariates = new Map(
    names.filter((name) => name !== FAMILY).map((name) => [name, new Map<string, number>()]),
  );
  const families = new Map<string, string>();
  const known = new Set<string>();
  for (const { line, fields } of lines) {
    const model = (fields[0] ?? '').trim();
    known.add(model);
    for (const [at, name] of names.entries()) {
      const text = (fields[at + 1] ?? '').trim();
      if (name === FAMILY) families.set(model, text);
      else if (text === '' || !Number.isFinite(Number(text)))
        throw fault(`has "${text}" for ${name} in line ${line}: expected a number`);
      else covariates.get(name)?.set(model, Number(text));
    }
  }
  const missing = models.find((model) => !known.has(model));
  if (missing !== undefined) throw fault(`has no line for model ${missing}: expected one for each`);
  return { covariates, families };
}
