/** `entrain logs RUN`: what happened in a run, line by line, without what was said. */
import { parseArgs } from 'node:util';
import { EntrainError } from '../../protocol/errors.ts';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { partSchema } from '../../protocol/service-messages.ts';
import { nameFlag, noMore } from '../../process/flags.ts';
import { usageText } from '../../process/usage.ts';
import { SERVICE_FLAGS, withService, type Service } from './ask-service.ts';

export const FLAGS = {
  follow: { type: 'boolean', default: false, about: 'go on with what happens, until the run is over' },
  ...SERVICE_FLAGS,
} as const;
export { FLAGS as flags };

export const usage = (): string =>
  usageText(
    {
      call: 'entrain logs RUN',
      about:
        'Prints what happened in a run: episodes, roles, agents that were lost. What was said is not among it.',
    },
    FLAGS,
  );

const FILE = 'events.jsonl';
const LOOK_MS = 2000;
const OVER: ReadonlySet<string> = new Set(['run-finished', 'run-failed']);
/** What is longer is cut. */
const MOST_LETTERS = 120;

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: argv, options: FLAGS, allowPositionals: true });
  noMore(positionals, 1, 'one RUN');
  const name = nameFlag('RUN', positionals[0]);
  await withService(values.runs, async (service) => {
    const state = { offset: 0, rest: '', isOver: false };
    for (;;) {
      for (const line of await nextLines(service, name, state)) {
        console.log(values.json ? line : eventLine(line));
        state.isOver = OVER.has((JSON.parse(line) as { type: string }).type);
      }
      if (!values.follow || state.isOver) return;
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  });
  return 0;
}

/** The whole lines that came since the last look. A run that has not begun has none. */
async function nextLines(
  service: Service,
  run: string,
  state: { offset: number; rest: string },
): Promise<string[]> {
  const about = { code: 'MESSAGE_INVALID', what: 'A part of the log' } as const;
  const parts: Buffer[] = [];
  for (let last = false; !last;) {
    const asked = { run, path: FILE, offset: state.offset };
    const answer = await service.ask('file', asked).catch((error: unknown) => {
      if (error instanceof EntrainError && error.code === 'FILE_UNUSABLE') return undefined;
      throw error;
    });
    if (answer === undefined) return [];
    const part = parseMessage(partSchema, answer, about);
    const bytes = Buffer.from(part.data, 'base64');
    parts.push(bytes);
    state.offset += bytes.length;
    last = part.last || bytes.length === 0;
  }
  const lines = (state.rest + Buffer.concat(parts).toString()).split('\n');
  state.rest = lines.pop() ?? '';
  return lines;
}

/** Time, what happened, and every plain field. */
export function eventLine(text: string): string {
  const { type, atMs, seq: _, ...fields } = JSON.parse(text) as { type: string; atMs: number; seq?: number };
  const said = Object.entries(fields).flatMap(([name, value]: [string, unknown]) => {
    const plain = Array.isArray(value) ? value.join(',') : value;
    if (typeof plain !== 'string' && typeof plain !== 'number') return [];
    return [`${name}=${String(plain).slice(0, MOST_LETTERS)}`];
  });
  return [new Date(atMs).toISOString(), type.padEnd(18), ...said].join('  ').trimEnd();
}
