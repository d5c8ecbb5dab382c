/** Restores what the terminal knew of a run from its folder, for a run that continues after it was stopped. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  eventSchema,
  parseMessage,
  utteranceSchema,
  type RunEvent,
  type Utterance,
} from '../../protocol/nats-messages.ts';
import { EntrainError } from '../../protocol/errors.ts';
import { emptyView, viewEvent, viewUtterance, type ViewState } from '../terminal/view-state.ts';

const WHAT = { code: 'MESSAGE_INVALID', what: 'A line of the run folder' } as const;

/**
 * The view of the run so far. One that was stopped after its last turn and before its last score has `ended`, and
 * its scoring goes on.
 * @throws EntrainError `RUN_TAKEN` if the run has ended and its figures are final
 */
export async function resumeView({ run, folder }: { run: string; folder: string }): Promise<ViewState> {
  const events = await readLines(join(folder, 'events.jsonl'), parseEvent);
  const utterances = await readLines(join(folder, 'transcript.jsonl'), parseUtterance);
  const [last] = events.slice(-1);
  const begun = events.reduce(viewEvent, emptyView(run));
  const state = utterances.reduce(viewUtterance, begun);
  if (last?.type !== 'run-finished') return { ...state, ended: undefined };
  if (!(await isScored(folder))) return state;
  throw new EntrainError(
    'RUN_TAKEN',
    `Run "${run}" is finished, with ${state.finished} episode${state.finished === 1 ? '' : 's'}: its figures are in ${folder}. Choose another --run, or score its recording again with "entrain measure sync-r2 --run ${folder}".`,
  );
}

/** Whether the last score of each group and pair is final; a run that is too small has none. */
async function isScored(folder: string): Promise<boolean> {
  const parse = (line: string): Published => JSON.parse(line) as Published;
  const lines = await readLines(join(folder, 'scores.jsonl'), parse);
  const last = new Map(
    lines.map((line) => [JSON.stringify([line.type, line.group, line.pair, line.condition]), line]),
  );
  return [...last.values()].every(({ provisional }) => provisional !== true);
}

/** Fields of a line of `scores.jsonl`. */
interface Published {
  type: string;
  group?: string;
  pair?: string;
  condition?: string;
  provisional?: boolean;
}

/** Lines of a file. A last line that a kill cut off is left out; the run's stream still has it. */
async function readLines<T>(file: string, parse: (line: string) => T): Promise<T[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    try {
      return [parse(line)];
    } catch {
      return [];
    }
  });
}

const parseEvent = (line: string): RunEvent => parseMessage(eventSchema, line, WHAT);
const parseUtterance = (line: string): Utterance => parseMessage(utteranceSchema, line, WHAT);
