/** Compares a provider with the CPU: states, logits, chosen tokens, and listening ahead. */
import { openModel, type OpenModel } from '../../src/model/worker/open-model.ts';
import type { Provider } from '../../src/model/types.ts';
import { DIALOGUE } from '../../test/fixtures/onnx/chat-model.ts';
import { temporaryFolder } from '../../test/fixtures/onnx/write-folder.ts';
import { distanceFromCpu, listeningCosine } from '../../test/fixtures/model/model-agreement.ts';
import { SENTENCES } from '../../test/fixtures/model/full-prefill.ts';
import type { GpuSubject, Row } from './tasks.ts';

const TOKENS = 64;

export async function measureAgreement(provider: Provider, subject: GpuSubject): Promise<Row[]> {
  const { name, folder, turns } = subject;
  const options = { folder, threads: 1, cacheFolder: await temporaryFolder() };
  const model = await openModel({ ...options, provider });
  const cpu = await openModel({ ...options, provider: 'cpu' });
  const { states, logits } = await distanceFromCpu(model, cpu);
  const apart = (cosine: number): string => (1 - cosine).toExponential(1);
  const [listened, onCpu] = [await listeningCosine(model, turns), await listeningCosine(cpu, turns)];
  const words = compareWords(await speakGreedily(model), await speakGreedily(cpu));
  await model.release();
  await cpu.release();
  const layers = states.map((state) => state.toExponential(1)).join(', ');
  return [
    [name, `states of layers 0 to ${states.length - 1}, difference of the largest`, layers, '', '≤ 5e-3'],
    [name, 'logits, difference of the largest', logits.toExponential(1), '', '≤ 5e-3'],
    [name, `greedy tokens as on the CPU, of ${TOKENS}`, words, '', ''],
    [name, `listening for ${turns} turns, 1 − cosine`, apart(listened), apart(onCpu), '≤ 1e-4'],
  ];
}

interface Greedy {
  ids: number[];
  /** For each token, the gap between the best two logits, as a share of the largest logit. */
  margins: number[];
}

async function speakGreedily(model: OpenModel): Promise<Greedy> {
  const decoder = model.openDecoder();
  const { text } = model.template.render(DIALOGUE.system, [{ who: 'peer', text: SENTENCES[0] ?? '' }], true);
  const said: Greedy = { ids: [], margins: [] };
  let pass = await decoder.run(model.tokenizer.encode(text), []);
  for (let i = 0; i < TOKENS; i += 1) {
    const { id, margin } = bestOf(pass.logits);
    said.ids.push(id);
    said.margins.push(margin);
    pass = await decoder.run([id], []);
  }
  return said;
}

function bestOf(logits: Float32Array): { id: number; margin: number } {
  let [id, best, second, largest] = [0, -Infinity, -Infinity, 0];
  for (const [i, value] of logits.entries()) {
    largest = Math.max(largest, Math.abs(value));
    if (value > best) [id, best, second] = [i, value, best];
    else if (value > second) second = value;
  }
  return { id, margin: (best - second) / largest };
}

function compareWords(there: Greedy, cpu: Greedy): string {
  const first = cpu.ids.findIndex((id, i) => id !== there.ids[i]);
  if (first === -1) return 'all';
  const margin = (cpu.margins[first] ?? 0).toExponential(1);
  return `the first ${first}; then the two best logits are ${margin} apart`;
}
