/** A user's own outcomes: a CSV file with the columns episode, agent, name and value. */
import { readFile } from 'node:fs/promises';
import { decodeText } from '../process/json-text.ts';
import type { TalkEpisode } from '../process/run-folder/read-talk.ts';
import { EntrainError } from '../protocol/errors.ts';
import { parseCsv, type CsvLine } from '../tables/csv.ts';

export interface FileOutcome {
  episode: string;
  agent: string;
  name: string;
  value: number;
}

const COLUMNS = ['episode', 'agent', 'name', 'value'] as const;

/**
 * Columns may be in any order; others are ignored.
 * @throws EntrainError `OUTCOMES_INVALID` naming the line, or the column that is missing
 */
export async function readOutcomesCsv(
  file: string,
  episodes: readonly TalkEpisode[],
): Promise<FileOutcome[]> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new EntrainError('OUTCOMES_INVALID', `${file} cannot be read: expected a CSV file.`, { cause });
  });
  const decoded = decodeText(bytes);
  if ('fault' in decoded) throw new EntrainError('OUTCOMES_INVALID', `${file} ${decoded.fault}.`);
  const [header, ...lines] = parseCsv(decoded.text, file);
  const places = COLUMNS.map((column) => header?.fields.map((name) => name.trim()).indexOf(column) ?? -1);
  const missing = COLUMNS.find((_, at) => places[at] === -1);
  if (missing !== undefined)
    throw new EntrainError(
      'OUTCOMES_INVALID',
      `${file} has no column "${missing}": expected episode,agent,name,value, with commas, in its first line.`,
    );
  const known = new Map(episodes.map((episode) => [episode.id, episode]));
  const seen = new Set<string>();
  return lines.map((line) => {
    const outcome = outcomeOf(line, places, { file, known });
    const key = JSON.stringify([outcome.episode, outcome.agent, outcome.name]);
    if (seen.has(key))
      throw faultAt(
        line,
        file,
        `says ${outcome.name} of ${outcome.agent} in ${outcome.episode} again: expected it once`,
      );
    seen.add(key);
    return outcome;
  });
}

function outcomeOf(
  line: CsvLine,
  places: readonly number[],
  { file, known }: { file: string; known: ReadonlyMap<string, TalkEpisode> },
): FileOutcome {
  const [id = '', agent = '', name = '', text = ''] = places.map((at) => (line.fields[at] ?? '').trim());
  const episode = known.get(id);
  if (!episode) throw faultAt(line, file, `names episode "${id}", which the run does not have`);
  if (!episode.order.includes(agent))
    throw faultAt(
      line,
      file,
      `names agent "${agent}", expected one of ${episode.order.join(', ')} for ${id}`,
    );
  if (!/^[\w .-]{1,64}$/.test(name))
    throw faultAt(line, file, `has the name "${name}", expected up to 64 letters, digits, spaces or . _ -`);
  const value = Number(text);
  if (text === '' || !Number.isFinite(value))
    throw faultAt(line, file, `has the value "${text}", expected a number`);
  return { episode: id, agent, name, value };
}

const faultAt = ({ line }: CsvLine, file: string, fault: string): EntrainError =>
  new EntrainError('OUTCOMES_INVALID', `Line ${line} of ${file} ${fault}.`);
