/**
 * Whole turns of several dialogues that one agent plays at once: listening, sampling a reply, sending all layers of all
 * steps.
 */
import { withBystander } from '../../src/model/dialogue/branches.ts';
import { createEngine } from '../../src/model/dialogue/engine.ts';
import { openDialogue } from '../../src/model/dialogue/dialogue.ts';
import { openModel } from '../../src/model/worker/open-model.ts';
import type { Branch, Dialogue, DialogueOptions } from '../../src/model/types.ts';
import { temporaryFolder } from '../../test/fixtures/onnx/write-folder.ts';
import { compare, cpuMs, median, medianRatio } from './measure.ts';
import type { Subject } from './subjects.ts';

export interface TalkAtOnce {
  /** Tokens spoken and heard per second, of one dialogue and of all at once. */
  tokensPerSecond: { one: number; together: number };
  ratio: number;
  /** Passes that the model ran between the call that takes a turn and its first token, 99 % of turns. */
  firstTokenPasses: number;
  /** Time of a turn with three alternatives, divided by the mean of the four alone. */
  branches: {
    /** With the bystander's readings of the four. */
    whole: number;
    withoutReadings: number;
  };
}

const TURNS = 4;
/** More than one, since all seats of an agent are taken but at the very end of its study. */
const TALKS_PER_SEAT = 3;
const WORDS = [
  'Hello there, I would like to buy some apples for my mother today.',
  'That is too much for me, would you take three coins for all of them?',
  'All right, then give me the red ones and two of the green ones.',
  'Thank you very much, I will come back next week with my sister.',
];
const OPTIONS: DialogueOptions = {
  id: 'talk',
  system:
    'You are Ada, who sells apples on the market. Be brief and friendly, and never go below three coins.',
  sampling: { temperature: 1, topK: 0, topP: 0.95, minP: 0, repetitionPenalty: 1.1, stops: [] },
  steps: { layers: null, every: 1 },
};
/** Beginnings of prompts are shared, as an agent shares them. */
const PREFIX_BYTES = 2 ** 26;
/** Seeds of an utterance and of three alternatives. */
const VERSIONS = [11, 12, 13, 14] as const;
const nothing = (): void => undefined;

/** Measures on one thread. */
export async function measureTalk(
  subject: Subject,
  { dialogues, maxTokens, rounds }: { dialogues: number; maxTokens: number; rounds: number },
): Promise<TalkAtOnce> {
  let passes = 0;
  const cacheFolder = await temporaryFolder();
  const { folder } = subject;
  const settings = { folder, provider: 'cpu', threads: 1, cacheFolder, prefixBytes: PREFIX_BYTES } as const;
  const model = await openModel(settings, () => passes++);
  const waited: number[] = [];
  let versions: Branch[] = [];
  const told = { maxTokens, onState: nothing, onSteps: nothing, mayLeave: false };
  const speak = async (dialogue: Dialogue, seed: number): Promise<number> => {
    const before = passes;
    let first: number | undefined;
    const onToken = (): void => void (first ??= passes - before);
    const { tokens } = await dialogue.speak({ ...told, seed, onToken });
    waited.push(first ?? 0);
    return tokens;
  };
  const play = async (seed: number): Promise<number> => {
    const dialogue = openDialogue(model, OPTIONS);
    let tokens = 0;
    for (const [turn, words] of WORDS.slice(0, TURNS).entries()) {
      await dialogue.heard(words, nothing);
      tokens += model.tokenizer.encode(words).length + (await speak(dialogue, seed * TURNS + turn));
    }
    await dialogue.close();
    return tokens;
  };
  /** @returns milliseconds of processor time for each token */
  const timed = async (talks: number, seats: number): Promise<number> => {
    const start = cpuMs();
    let [next, tokens] = [0, 0];
    // As an agent plays: a seat that is free takes the next talk.
    const sit = async (): Promise<void> => {
      while (next < talks) {
        const said = await play(next++);
        tokens += said;
      }
    };
    await Promise.all(Array.from({ length: seats }, sit));
    return (cpuMs() - start) / tokens;
  };
  /** @returns milliseconds of processor time of one turn after the same words; the rest of the talk is not counted */
  const turn = async (seed: number, alternatives: readonly number[]): Promise<number> => {
    const dialogue = openDialogue(model, OPTIONS);
    await dialogue.heard(WORDS[0] as string, nothing);
    const said: Branch[] = [];
    const branches = { seeds: alternatives, onBranch: (branch: Branch) => void said.push(branch) };
    const start = cpuMs();
    await dialogue.speak({
      ...told,
      seed,
      onToken: nothing,
      ...(alternatives.length > 0 ? { branches } : {}),
    });
    const ms = cpuMs() - start;
    if (said.length > 0) versions = said;
    await dialogue.close();
    return ms;
  };
  /** @returns milliseconds of processor time of the bystander's readings of the last turn's versions */
  const read = async (): Promise<number> => {
    const engine = createEngine(model, OPTIONS);
    const start = cpuMs();
    await Promise.all(versions.map((version) => withBystander(engine, version)));
    const ms = cpuMs() - start;
    engine.cache.close();
    return ms;
  };
  const ms = await compare(rounds, {
    one: () => timed(2, 1),
    together: async () => {
      waited.length = 0;
      return timed(TALKS_PER_SEAT * dialogues, dialogues);
    },
    utterance: async () => {
      let total = 0;
      for (const seed of VERSIONS) total += await turn(seed, []);
      return total / VERSIONS.length;
    },
    branches: () => turn(VERSIONS[0], VERSIONS.slice(1)),
    readings: read,
  });
  await model.release();
  const sorted = waited.toSorted((a, b) => a - b);
  return {
    tokensPerSecond: { one: 1000 / median(ms.one), together: 1000 / median(ms.together) },
    ratio: medianRatio(ms.one, ms.together),
    firstTokenPasses: sorted[Math.ceil(0.99 * sorted.length) - 1] ?? Number.NaN,
    branches: {
      whole: medianRatio(ms.branches, ms.utterance),
      withoutReadings: medianRatio(
        ms.branches.map((time, round) => time - (ms.readings[round] ?? Number.NaN)),
        ms.utterance,
      ),
    },
  };
}
