/** What this machine can run: every execution provider is tried on a small graph, not merely listed. */
import { cpus, totalmem } from 'node:os';
import ort from '../onnx/runtime.ts';
import { programVersion } from '../process/version.ts';
import { concat, writeBytes, writeInteger } from '../onnx/protobuf.ts';
import { openModel } from './worker/open-model.ts';
import { plainReason } from './runtime/runtime-errors.ts';
import { availableProviders } from './runtime/session.ts';
import { PROVIDERS } from '../process/flags.ts';

export interface Machine {
  entrain: string;
  node: string;
  platform: string;
  onnxruntime: string;
  cpus: number;
  cpu: string;
  memoryMb: number;
  providers: { name: string; works: boolean; reason: string | undefined; help: string | undefined }[];
  /** How many dialogues of a model may share a pass on the CPU; undefined if no model was named. */
  sharedPasses?: { model: string; rowsPerPass: number } | undefined;
}

const HELP: Readonly<Record<string, string>> = {
  webgpu:
    'needs a Vulkan loader (Debian: libvulkan1) and a GPU driver that offers Vulkan; macOS uses Metal, Windows Direct3D.',
  cuda:
    'needs the CUDA 12 runtime, cuDNN 9 and the provider libraries of onnxruntime-node: run ' +
    '"node node_modules/onnxruntime-node/script/install --onnxruntime-node-install=cuda12" once, with leave to download.',
  coreml: 'is part of the macOS build only.',
  dml: 'is part of the Windows build only.',
};

/** @param folder a model to examine as well */
export async function examineMachine(folder?: string): Promise<Machine> {
  // The table names a provider's missing library. The runtime would print it too, before there is a session to
  // silence.
  ort.env.logLevel = 'fatal';
  const providers = [];
  for (const name of PROVIDERS) {
    const reason = await tryProvider(name);
    const works = reason === undefined;
    providers.push({ name, works, reason, help: works ? undefined : HELP[name] });
  }
  return {
    entrain: await programVersion(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    onnxruntime: ort.env.versions.node ?? 'unknown',
    cpus: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryMb: Math.round(totalmem() / 2 ** 20),
    providers,
    ...(folder === undefined ? {} : { sharedPasses: await tryModel(folder) }),
  };
}

async function tryModel(folder: string): Promise<Machine['sharedPasses']> {
  const cacheFolder = '.cache/models';
  const model = await openModel({ folder, provider: 'cpu', threads: 1, cacheFolder });
  const { name, rowsPerPass } = model.info;
  await model.release();
  return { model: name, rowsPerPass };
}

/** @returns why the provider does not work; undefined if it works */
async function tryProvider(name: string): Promise<string | undefined> {
  if (!availableProviders().includes(name)) return 'is not part of this build of ONNX Runtime';
  try {
    const session = await ort.InferenceSession.create(smallGraph(), {
      executionProviders: [{ name }],
      logSeverityLevel: 4,
    });
    const x = new ort.Tensor('float32', Float32Array.of(20, 22), [2]);
    const { y } = await session.run({ x });
    await session.release();
    return (y as ort.Tensor).data[1] === 44 ? undefined : 'gave a wrong sum';
  } catch (error) {
    return plainReason(error);
  }
}

/** A graph that computes y = x + x. */
function smallGraph(): Uint8Array {
  const type = writeBytes(
    2,
    writeBytes(1, concat([writeInteger(1, 1), writeBytes(2, writeBytes(1, writeInteger(1, 2)))])),
  );
  const value = (name: string): Uint8Array => concat([writeBytes(1, name), type]);
  const add = concat([writeBytes(1, 'x'), writeBytes(1, 'x'), writeBytes(2, 'y'), writeBytes(4, 'Add')]);
  const graph = concat([
    writeBytes(1, add),
    writeBytes(2, 'sum'),
    writeBytes(11, value('x')),
    writeBytes(12, value('y')),
  ]);
  return concat([writeInteger(1, 8), writeBytes(7, graph), writeBytes(8, writeInteger(2, 13))]);
}

export function showMachine(machine: Machine): string {
  const rows = [
    ['entrain', machine.entrain],
    ['node', `${machine.node} on ${machine.platform}`],
    ['onnxruntime', machine.onnxruntime],
    ['processor', `${machine.cpus} × ${machine.cpu}, ${machine.memoryMb} MiB of memory`],
    ...machine.providers.map(({ name, works, reason, help }) => [
      name,
      works ? 'works' : `no: ${reason ?? ''} (${help ?? ''})`,
    ]),
    ...(machine.sharedPasses ? [['passes', passesText(machine.sharedPasses)]] : []),
  ];
  return rows.map(([name = '', value = '']) => `${name.padEnd(12)} ${value}`).join('\n');
}

function passesText({ model, rowsPerPass }: { model: string; rowsPerPass: number }): string {
  if (rowsPerPass === 1) return `one dialogue of ${model} each: sharing would change its numbers`;
  return `up to ${rowsPerPass} dialogues of ${model} share one, and each keeps the bits of one of its own`;
}
