/** `entrain submit STUDY`: hands a study to the service, which runs it when its agents are free. */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { EntrainError } from '../../protocol/errors.ts';
import { PRIORITIES, runViewSchema } from '../../protocol/service-messages.ts';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { systemClock as clock } from '../../process/clock.ts';
import { runFlag, wholeNumber } from '../../process/flags.ts';
import { readStudy } from '../../process/run-folder/read-study.ts';
import { usageText } from '../../process/usage.ts';
import { SERVICE_FLAGS, withService } from './ask-service.ts';
import { runLines } from './tables.ts';

export const FLAGS = {
  name: { type: 'string', value: 'NAME', about: 'of the run (date, study and random letters)' },
  priority: {
    type: 'string',
    default: '0',
    value: 'N',
    about: `among your own runs, ${PRIORITIES.least} to ${PRIORITIES.most}; the larger first`,
  },
  seed: { type: 'string', value: 'N', about: 'in place of the study’s' },
  ...SERVICE_FLAGS,
} as const;
export { FLAGS as flags };

export const usage = (): string =>
  usageText(
    {
      call: 'entrain submit STUDY',
      about: 'Hands a study to the service, which runs it when the agents that it names are free.',
    },
    FLAGS,
  );

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: argv, options: FLAGS, allowPositionals: true });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0)
    throw new EntrainError(
      'USAGE',
      'The study is missing or unclear: expected "entrain submit STUDY", one file.',
    );
  const study = await readStudy(file);
  const seed = values.seed === undefined ? study.seed : wholeNumber('--seed', values.seed);
  const name = runFlag('--name', values.name ?? newName(study.name));
  const body = { run: name, study: { ...study, seed }, priority: priorityOf(values.priority) };
  const answer = await withService(values.runs, (service) => service.ask('submit', body));
  const view = parseMessage(runViewSchema, answer, {
    code: 'MESSAGE_INVALID',
    what: 'The answer to a submission',
  });
  console.log(values.json ? JSON.stringify(view) : runLines([view], clock.nowMs()).join('\n'));
  return 0;
}

function priorityOf(text: string): number {
  const size = wholeNumber('--priority', text.replace(/^-/, ''), { most: PRIORITIES.most });
  return text.startsWith('-') ? -size : size;
}

/** Sorts by time and does not collide. */
function newName(study: string): string {
  const stamp = new Date(clock.nowMs()).toISOString().slice(0, 16).replaceAll(/[-:]/g, '').replace('T', '-');
  return `${stamp}-${study.slice(0, 40)}-${randomBytes(2).toString('hex')}`;
}
