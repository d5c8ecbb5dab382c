/** Figures of GPUs, by a program in the place of nvidia-smi that prints what the driver's own prints. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { addGpuMetrics } from '../../../src/agent-node/gpu/metrics.ts';
import { createGpuReader } from '../../../src/agent-node/gpu/read-gpus.ts';

/** With `noheader,nounits`: memory in MiB, use in percent; a GPU in MIG mode has no use. */
const PRINTED = '0, NVIDIA H200, 1024, 143771, 37\n1, NVIDIA H200, 4, 143771, [N/A]\n';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-gpu-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function install(script: string): Promise<void> {
  await writeFile(join(folder, 'nvidia-smi'), `#!/bin/sh\n${script}`);
  await chmod(join(folder, 'nvidia-smi'), 0o755);
}

it('shows memory and use of each GPU, and leaves out what the driver does not tell', async () => {
  await install(`printf '%b' '${PRINTED.replaceAll('\n', '\\n')}'`);
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH']}`);
  let nowMs = 0;
  const registry = new Registry();
  addGpuMetrics(registry, createGpuReader({ monotonicMs: () => nowMs }));
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('entrain_'));
  expect(lines).toEqual([
    'entrain_gpu_memory_used_bytes{gpu="0",name="NVIDIA H200"} 1073741824',
    'entrain_gpu_memory_used_bytes{gpu="1",name="NVIDIA H200"} 4194304',
    'entrain_gpu_memory_size_bytes{gpu="0",name="NVIDIA H200"} 150754820096',
    'entrain_gpu_memory_size_bytes{gpu="1",name="NVIDIA H200"} 150754820096',
    'entrain_gpu_busy_ratio{gpu="0",name="NVIDIA H200"} 0.37',
  ]);
  // A driver that fails leaves nothing behind.
  await install('exit 9');
  nowMs = 5000;
  expect(await registry.metrics()).not.toMatch(/^entrain_/m);
});

it('asks no more where there is no such program', async () => {
  vi.stubEnv('PATH', folder);
  let nowMs = 0;
  const read = createGpuReader({ monotonicMs: () => nowMs });
  expect(await read()).toEqual([]);
  await install(`printf '${PRINTED.split('\n')[0]}'`);
  nowMs = 10_000;
  expect(await read()).toEqual([]);
});
