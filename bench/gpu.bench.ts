/** Every GPU provider that `entrain doctor` finds, beside the CPU: agreement of the results, and speed. */
import { examineMachine } from '../src/model/doctor.ts';
import type { Provider } from '../src/model/types.ts';
import { writeChatModel } from '../test/fixtures/onnx/chat-model.ts';
import type { LlamaStyle } from '../test/fixtures/onnx/llama-graph.ts';
import { type GpuSubject, type Row, runAgents, runTask } from './gpu/tasks.ts';
import { largeModel, largestModel, smallestModel } from './model/subjects.ts';

export const title = 'GPUs';

const HEAD = ['provider', 'model', 'quantity', 'there', 'on the CPU', 'bar'];

interface Report {
  table: string[][];
  notes: string[];
  /** Whether to write the docs page; without a GPU the page keeps its content. */
  isForPage: boolean;
}

export async function run(): Promise<Report> {
  const { providers } = await examineMachine();
  const table: string[][] = [HEAD];
  for (const { name, works, reason } of providers) {
    if (isMeant(name, works)) await measureProvider(name as Provider, tell(name, table));
    else if (name !== 'cpu') table.push([name, '', 'does not work here', '', '', '']);
    if (!works) console.error(`${name}: ${reason}`);
  }
  const measured = providers.filter(({ name, works }) => isMeant(name, works));
  return {
    table,
    notes: measured.length > 0 ? NOTES : NO_GPU,
    isForPage: measured.some(({ name, works }) => works && name !== 'cpu'),
  };
}

/** ENTRAIN_BENCH_GPU names a provider to use instead of a GPU: `cpu` runs all of this on a machine without one. */
function isMeant(name: string, works: boolean): boolean {
  const inPlace = process.env['ENTRAIN_BENCH_GPU'];
  return inPlace === undefined ? works && name !== 'cpu' : name === inPlace;
}

type Tell = (rows: readonly Row[]) => void;

/** Prints rows as they come, so that they survive a crash of the driver. */
function tell(provider: string, table: string[][]): Tell {
  return (rows) => {
    for (const row of rows) {
      console.error([provider, ...row].join(' | '));
      table.push([provider, ...row]);
    }
  };
}

async function measureProvider(provider: Provider, tell: Tell): Promise<void> {
  for (const subject of await smallGraphs()) tell(await runTask({ part: 'agreement', provider, subject }));
  const shipped = await shippedSubjects();
  for (const subject of shipped) {
    tell(await runTask({ part: 'agreement', provider, subject }));
    tell(await runTask({ part: 'speed', provider, subject }));
  }
  tell(await runTask({ part: 'products', provider }));
  const largest = shipped.at(-1);
  if (largest) await measureAgents(provider, largest, tell);
  const { name, folder } = await largeModel();
  const large = { name, folder, turns: 4, speed: { tokens: 16, rounds: 3 } };
  tell(await runTask({ part: 'speed', provider, subject: large }));
  tell(await runTask({ part: 'agreement', provider, subject: large }));
}

const GRAPHS: readonly { style: LlamaStyle; layers?: number; what?: string }[] = [
  { style: { style: 'torch' } },
  { style: { style: 'genai' } },
  { style: { style: 'torch', half: true }, what: ', float16' },
  { style: { style: 'torch', brain: true }, what: ', bfloat16 weights' },
  // Each layer adds two cache slots, and a shader takes few buffers.
  { style: { style: 'torch' }, layers: 32, what: ', 32 layers' },
];

/** Turns of a dialogue; fewer for models whose turns take long. */
const TURNS = 8;
const TURNS_IF_DEEP = 2;

/** Small models, one for each kind of graph and of weights. */
async function smallGraphs(): Promise<GpuSubject[]> {
  const subjects: GpuSubject[] = [];
  for (const { style, layers, what = '' } of GRAPHS) {
    const depth = layers === undefined ? {} : { layers };
    const folder = await writeChatModel({ tokens: 'bytes', template: 'own', style, ...depth });
    const turns = layers === undefined ? TURNS : TURNS_IF_DEEP;
    subjects.push({ name: `random, as ${style.style} writes it${what}`, folder, turns });
  }
  return subjects;
}

async function shippedSubjects(): Promise<GpuSubject[]> {
  const found = [await smallestModel(), await largestModel()];
  return found.flatMap((subject) => {
    if (!subject) return [];
    return { name: subject.name, folder: subject.folder, turns: 6, speed: { tokens: 48, rounds: 7 } };
  });
}

/** Several models that generate at the same time, each in a process of its own. */
async function measureAgents(provider: Provider, { name, folder }: GpuSubject, tell: Tell): Promise<void> {
  for (const count of [1, 2, 4]) {
    const there = await runAgents({ folder, provider, count });
    const cpu = await runAgents({ folder, provider: 'cpu', count });
    tell([[name, `speaking at once: ${count}`, there, cpu, '']]);
  }
  if (provider !== 'cuda' && provider !== 'dml') return;
  const first = await runAgents({ folder, provider, count: 1, device: 0 });
  tell([[name, 'speaking, with --device 0', first, '', '']]);
}

const NO_GPU = ['No GPU provider works on this machine ("entrain doctor" says why), so nothing is measured.'];

const NOTES = [
  'Differences are the largest over all numbers, of the largest that the CPU has there; states at every layer, whole and step by step.',
  'Time on the wall, medians over rounds within which provider and CPU take turns; models with one thread on the CPU, products with one for each core.',
  'Speeds behind a prompt of 32 tokens, tokens one by one; states and logits come back to the CPU at each pass, and the cache too but for webgpu.',
  'Products from float64 arrays to float64 arrays, conversions included, as the analyzer asks for them.',
];
