/**
 * What users ask the service for in one request: `entrain runs`, `entrain stop RUN`, `entrain resume RUN`,
 * `entrain fleet`, `entrain drain AGENT` and `entrain remove AGENT`.
 */
import { parseArgs } from 'node:util';
import { EntrainError } from '../../protocol/errors.ts';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { fleetAnswerSchema, runsAnswerSchema, runViewSchema } from '../../protocol/service-messages.ts';
import { systemClock as clock } from '../../process/clock.ts';
import { nameFlag, requireOwn } from '../../process/flags.ts';
import { usageText, type Flag, type Usage } from '../../process/usage.ts';
import { SERVICE_FLAGS, withService } from './ask-service.ts';
import { programLines, runLines } from './tables.ts';

const UNDO = { undo: { type: 'boolean', default: false, about: 'takes it back' } } as const;
const ANALYZER = {
  analyzer: { type: 'boolean', default: false, about: 'the analyzer of this name that joined' },
} as const;

export const FLAGS = { ...SERVICE_FLAGS, ...UNDO, ...ANALYZER } as const;
export { FLAGS as flags };

const VERBS = ['runs', 'stop', 'resume', 'fleet', 'drain', 'remove'] as const;
type Verb = (typeof VERBS)[number];

/** Flags that not all requests have. */
const OWN_FLAGS: Readonly<Partial<Record<Verb, Readonly<Record<string, Flag>>>>> = {
  drain: UNDO,
  remove: { ...UNDO, ...ANALYZER },
};

const USAGES: Readonly<Record<Verb, Usage>> = {
  runs: {
    call: 'entrain runs',
    about: 'Lists runs: state, episodes, time left, and what their figures show.',
  },
  stop: { call: 'entrain stop RUN', about: 'Stops a run where it is; "entrain resume" goes on with it.' },
  resume: { call: 'entrain resume RUN', about: 'Puts a run that stopped or failed back into the queue.' },
  fleet: {
    call: 'entrain fleet',
    about: 'Lists agents, analyzers and coordinators: machine, model, state, run.',
  },
  drain: {
    call: 'entrain drain AGENT',
    about: 'Gives an agent no further run; it plays the present one to its end.',
  },
  remove: {
    call: 'entrain remove AGENT',
    about:
      'Takes an agent out of its run at once: its roles go to another agent with its model. With --analyzer an analyzer that joined: its runs go on at another.',
  },
};

const WHOLE = 'entrain runs | stop RUN | resume RUN | fleet | drain AGENT | remove AGENT';

export const usage = (): string =>
  VERBS.map((verb) => usageText(USAGES[verb], { ...SERVICE_FLAGS, ...OWN_FLAGS[verb] })).join('\n\n');

export async function run([verb = '', ...argv]: string[]): Promise<number> {
  if (!isVerb(verb)) throw new EntrainError('USAGE', `There is no request "${verb}": expected ${WHOLE}.`);
  const { values, positionals, tokens } = parseArgs({
    args: argv,
    options: FLAGS,
    allowPositionals: true,
    tokens: true,
  });
  requireOwn(verb, tokens, Object.keys({ ...SERVICE_FLAGS, ...OWN_FLAGS[verb] }));
  const body = bodyOf(verb, positionals, values);
  const answer = await withService(values.runs, (service) => service.ask(verb, body));
  console.log(values.json ? JSON.stringify(answer) : linesOf(verb, answer).join('\n'));
  return 0;
}

const isVerb = (verb: string): verb is Verb => VERBS.some((known) => known === verb);

function bodyOf(
  verb: Verb,
  words: readonly string[],
  { undo, analyzer }: { undo: boolean; analyzer: boolean },
): object {
  const wanted = verb === 'runs' || verb === 'fleet' ? 0 : 1;
  const { call } = USAGES[verb];
  if (words.length !== wanted)
    throw new EntrainError('USAGE', `"entrain ${verb}" was given ${words.length} names: expected "${call}".`);
  if (verb === 'stop' || verb === 'resume') return { run: nameFlag('RUN', words[0]) };
  if (wanted === 0) return {};
  const asked = { agent: nameFlag('AGENT', words[0]), undo };
  return verb === 'remove' ? { ...asked, analyzer } : asked;
}

function linesOf(verb: Verb, answer: unknown): string[] {
  const about = { code: 'MESSAGE_INVALID', what: `The answer to "${verb}"` } as const;
  const nowMs = clock.nowMs();
  if (verb === 'runs') return runLines(parseMessage(runsAnswerSchema, answer, about).runs, nowMs);
  if (verb === 'stop' || verb === 'resume')
    return runLines([parseMessage(runViewSchema, answer, about)], nowMs);
  return programLines(parseMessage(fleetAnswerSchema, answer, about).programs);
}
