/**
 * Time from the end of the partner's utterance to the first token of the reply: after listening, and with a prefill of
 * the whole utterance. Also the time from the partner's last word, as if the end were known at once.
 */
import { openDialogue } from '../../src/model/dialogue/dialogue.ts';
import { openModel, type OpenModel } from '../../src/model/worker/open-model.ts';
import type { Dialogue, DialogueOptions } from '../../src/model/types.ts';
import { temporaryFolder } from '../../test/fixtures/onnx/write-folder.ts';
import { cpuMs, median, timeMs } from './measure.ts';
import type { Subject } from './subjects.ts';

export interface ReplyLatency {
  /** From the message that the utterance is finished, after listening. */
  listenedMs: number;
  /** From the last word: the work when it arrives, plus the work at the end of the utterance. */
  lastWordMs: number;
  /** With a prefill of all words in one pass. */
  prefillMs: number;
  stepMs: number;
  utteranceTokens: number;
}

const WORDS =
  'hello I would like to buy some apples for my mother and you know that we have been friends for a long time';

const OPTIONS: DialogueOptions = {
  id: 'latency',
  system: 'You sell apples.',
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, stops: [] },
  steps: null,
};

export async function measureReplyLatency(subject: Subject, rounds: number): Promise<ReplyLatency> {
  const cacheFolder = await temporaryFolder();
  const model = await openModel({ folder: subject.folder, provider: 'cpu', threads: 1, cacheFolder });
  const listened: number[] = [];
  const lastWord: number[] = [];
  const prefill: number[] = [];
  const steps: number[] = [];
  const text = utteranceOf(model, 200);
  for (let round = 0; round <= rounds; round++) {
    const reply = await afterListening(model, text);
    const prefillMs = await afterPrefill(model, text);
    const stepMs = await oneStep(model, text);
    if (round === 0) continue;
    listened.push(reply.listenedMs);
    lastWord.push(reply.lastWordMs);
    prefill.push(prefillMs);
    steps.push(stepMs);
  }
  await model.release();
  const utteranceTokens = model.tokenizer.encode(text).length;
  return {
    listenedMs: median(listened),
    lastWordMs: median(lastWord),
    prefillMs: median(prefill),
    stepMs: median(steps),
    utteranceTokens,
  };
}

function utteranceOf(model: OpenModel, tokens: number): string {
  const words: string[] = [];
  const stock = WORDS.split(' ');
  while (model.tokenizer.encode(words.join(' ')).length < tokens)
    words.push(stock[words.length % stock.length] ?? '');
  return `${words.join(' ')}.`;
}

async function firstTokenMs(dialogue: Dialogue, text: string): Promise<number> {
  let first = 0;
  const start = cpuMs();
  await dialogue.heard(text, () => undefined);
  await dialogue.speak({
    seed: 1,
    maxTokens: 1,
    mayLeave: false,
    onState: () => undefined,
    onToken: () => (first ||= cpuMs()),
    onSteps: () => undefined,
  });
  return (first || cpuMs()) - start;
}

async function afterListening(
  model: OpenModel,
  text: string,
): Promise<{ listenedMs: number; lastWordMs: number }> {
  const dialogue = openDialogue(model, OPTIONS);
  const words = text.split(' ');
  for (let n = 4; n < words.length; n += 4) {
    await dialogue.hear(`${words.slice(0, n).join(' ')} `, () => undefined);
  }
  const start = cpuMs();
  await dialogue.hear(text, () => undefined);
  const hearMs = cpuMs() - start;
  const listenedMs = await firstTokenMs(dialogue, text);
  return { listenedMs, lastWordMs: hearMs + listenedMs };
}

/** The system prompt is in the cache already, so that only the utterance is timed. */
async function afterPrefill(model: OpenModel, text: string): Promise<number> {
  const decoder = model.openDecoder();
  const system = model.template.render(OPTIONS.system, [], false).text;
  const whole = model.template.render(OPTIONS.system, [{ who: 'peer', text }], true).text;
  const head = model.tokenizer.encode(system);
  await decoder.run(head, []);
  return timeMs(() => decoder.run(model.tokenizer.encode(whole).slice(head.length), []));
}

/** Median time of one decode step with the prompt in the cache. */
async function oneStep(model: OpenModel, text: string): Promise<number> {
  const decoder = model.openDecoder();
  await decoder.run(model.tokenizer.encode(text), []);
  const times: number[] = [];
  for (let i = 0; i < 10; i++) times.push(await timeMs(() => decoder.run([20 + i], [])));
  return median(times);
}
