/** Reads covariates of models, such as their size: a CSV file with the column `model` and one for each covariate. */
import { readFile } from 'node:fs/promises';
import { decodeText } from '../process/json-text.ts';
import { EntrainError } from '../protocol/errors.ts';
import { parseCsv } from '../tables/csv.ts';
import type { Covariates } from './analyze-tables.ts';

/**
 * @param models that need a value of each covariate
 * @throws EntrainError `OUTCOMES_INVALID` naming the line, or the model that is missing
 */
export async function readCovariates(file: string, models: readonly string[]): Promise<Covariates> {
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
  const covariates = new Map(names.map((name) => [name, new Map<string, number>()]));
  for (const { line, fields } of lines)
    for (const [at, name] of names.entries()) {
      const text = (fields[at + 1] ?? '').trim();
      if (text === '' || !Number.isFinite(Number(text)))
        throw fault(`has "${text}" for ${name} in line ${line}: expected a number`);
      covariates.get(name)?.set((fields[0] ?? '').trim(), Number(text));
    }
  const [values] = covariates.values();
  const missing = models.find((model) => values?.has(model) !== true);
  if (missing !== undefined) throw fault(`has no line for model ${missing}: expected one for each`);
  return covariates;
}
