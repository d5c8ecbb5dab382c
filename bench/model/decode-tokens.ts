/**
 * Decodes tokens one by one after a prompt and sends each to another thread, with its states if layers are tapped.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Decoder } from '../../src/model/runtime/decoder.ts';
import { sampleToken } from '../../src/model/dialogue/sample.ts';
import { gather } from '../../src/model/runtime/step-states.ts';

export const PROMPT = Array.from({ length: 32 }, (_, i) => 20 + ((i * 7) % 90));
const GREEDY = {
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, stops: [] },
  seen: new Set<number>(),
  banned: new Set<number>(),
  random: () => 0,
};

export interface Decoding {
  tokens: number;
  layers: number[];
  dims: number;
  /** Receives tokens and their states, as the main thread does from the worker. */
  port: MessagePort;
  /** Milliseconds: process time on one CPU thread, wall time on a device. */
  nowMs: () => number;
}

/** @returns milliseconds after the prompt */
export async function decodeTokens(
  decoder: Decoder,
  { tokens, layers, dims, port, nowMs }: Decoding,
): Promise<number> {
  let pass = await decoder.run(PROMPT, layers);
  const start = nowMs();
  for (let i = 0; i < tokens; i++) {
    const id = sampleToken(pass.logits.slice(), GREEDY);
    pass = await decoder.run([id], layers);
    const events: object[] = [
      { type: 'token', token: { step: i, text: ' word', byte0: 5 * i, byte1: 5 * i + 5 } },
    ];
    if (layers.length > 0) {
      const data = gather(pass, { layers, rows: [0], dims });
      const states = { role: 'speak', step0: i, bytes: [[5 * i, 5 * i + 5]], layers, data };
      events.push({ type: 'steps', states });
      port.postMessage({ type: 'events', call: 1, events }, [data.buffer as ArrayBuffer]);
    } else port.postMessage({ type: 'events', call: 1, events });
  }
  return nowMs() - start;
}
