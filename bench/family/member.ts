/**
 * One shipped model in a process of its own: its speed on one thread and its memory.
 * Arguments: FOLDER, and for another provider than the CPU also PROVIDER [DEVICE].
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readProvider } from '../../src/agent-node/provider-flag.ts';
import { loadModel } from '../../src/model/worker/load-model.ts';

const SAMPLING = { temperature: 0.8, topK: 0, topP: 0.95, minP: 0, repetitionPenalty: 1.1, stops: [] };
const TURNS = 12;
const ignore = (): void => undefined;

const [folder = '', provider = 'cpu', device] = process.argv.slice(2);
const cacheFolder = await mkdtemp(join(tmpdir(), 'entrain-bench-family-'));
const model = await loadModel({
  folder,
  ...readProvider({ provider, device }),
  threads: 1,
  cacheFolder,
});
const dialogue = await model.open({
  id: 'bench',
  system: 'Scenario: Two people meet.',
  sampling: SAMPLING,
  steps: null,
});
const rates: number[] = [];
for (let turn = 0; turn < TURNS; turn += 1) {
  await dialogue.heard('I like long walks, and I would like to hear what you like to do.', ignore);
  const options = {
    seed: turn,
    maxTokens: 32,
    mayLeave: false,
    onState: ignore,
    onToken: ignore,
    onSteps: ignore,
  };
  const { tokens, totalMs, firstTokenMs } = await dialogue.speak(options);
  if (tokens > 4) rates.push((1000 * (tokens - 1)) / (totalMs - firstTokenMs));
}
const { layers, dims } = model.info;
const median = rates.toSorted((a, b) => a - b)[Math.floor(rates.length / 2)] ?? 0;
console.log(
  JSON.stringify({ layers, dims, tokensPerSecond: median, memoryMib: process.memoryUsage().rss / 2 ** 20 }),
);
await model.stop();
await rm(cacheFolder, { recursive: true, force: true });
