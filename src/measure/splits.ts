/**
 * Reads the file of `--splits`: `{"alpha": 0.1, "test_episodes": [[0, 3], [1, 2]]}`, and checks every field.
 */
import { readFile } from 'node:fs/promises';
import { EntrainError } from '../protocol/errors.ts';
import { decodeText, parseJsonText } from '../process/json-text.ts';

export interface Splits {
  /** Undefined if the file has none. */
  alpha: number | undefined;
  /** Ids of the test episodes of each split. */
  testEpisodes: number[][];
}

/**
 * @param idOf label of an episode as text → its id
 * @throws EntrainError `MEASURE_INPUT`, with the field
 */
export async function readSplits(path: string, idOf: ReadonlyMap<string, number>): Promise<Splits> {
  const refuse = (what: string, cause?: unknown): EntrainError =>
    new EntrainError(
      'MEASURE_INPUT',
      `${path} ${what}; expected {"alpha": 0.1, "test_episodes": [[…], …]} with labels of --episode`,
      { cause },
    );
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw refuse('cannot be read', cause);
  });
  const decoded = decodeText(bytes);
  if ('fault' in decoded) throw refuse(decoded.fault);
  const parsed = parseJsonText(decoded.text);
  if ('fault' in parsed) throw refuse(parsed.fault);
  const found = splitsOf(parsed.value, idOf);
  if (typeof found === 'string') throw refuse(found);
  return found;
}

/** The splits, or what is wrong with them. */
function splitsOf(value: unknown, idOf: ReadonlyMap<string, number>): Splits | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'holds no object';
  const { alpha, test_episodes: tests } = value as { alpha?: unknown; test_episodes?: unknown };
  if (alpha !== undefined && !(typeof alpha === 'number' && Number.isFinite(alpha) && alpha > 0))
    return `has alpha ${JSON.stringify(alpha)}, which is not a finite number above 0`;
  if (!Array.isArray(tests) || tests.length === 0) return 'has no list of splits in test_episodes';
  const testEpisodes: number[][] = [];
  for (const [split, episodes] of tests.entries()) {
    const place = `test_episodes[${split}]`;
    if (!Array.isArray(episodes) || episodes.length === 0) return `has no list of episodes in ${place}`;
    const ids: number[] = [];
    for (const label of episodes as unknown[]) {
      const id = idOf.get(String(label));
      const fault = labelFault(label, id);
      if (fault !== undefined || id === undefined) return `has ${fault} in ${place}`;
      ids.push(id);
    }
    testEpisodes.push(ids);
  }
  return { alpha, testEpisodes };
}

function labelFault(label: unknown, id: number | undefined): string | undefined {
  const shown = JSON.stringify(label);
  if (typeof label !== 'string' && !Number.isInteger(label)) return `${shown}, which is no label,`;
  if (typeof label === 'number' && !Number.isSafeInteger(label))
    return `${shown}, which JSON cannot hold exactly (write it as text, "…"),`;
  return id === undefined ? `the episode ${shown}, which no row has,` : undefined;
}
