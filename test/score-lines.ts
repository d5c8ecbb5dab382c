/** Lines of `scores.jsonl`. */
import { readFile } from 'node:fs/promises';

/** Those with the mark that is asked for. */
export async function linesOf(
  file: string,
  { provisional }: { provisional: boolean },
): Promise<{ type: string }[]> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  return lines
    .map((line) => JSON.parse(line) as { type: string; provisional: boolean })
    .filter((line) => line.provisional === provisional);
}
