/** The shipped models: tokens per second on one thread and memory, each in a process of its own. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const title = 'The embedded family';

interface Member {
  layers: number;
  dims: number;
  tokensPerSecond: number;
  memoryMib: number;
}

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const names = (await readdir('models')).filter((name) => name.startsWith('entrain-')).toSorted();
  const rows: string[][] = [];
  for (const name of names) {
    const { layers, dims, tokensPerSecond, memoryMib } = await measure(join('models', name));
    const ratio = (tokensPerSecond / 60).toFixed(1);
    rows.push([
      name,
      `${layers} × ${dims}`,
      tokensPerSecond.toFixed(0),
      `${ratio} ×`,
      `${memoryMib.toFixed(0)} MiB`,
    ]);
  }
  return {
    table: [
      ['model', 'layers × dims', 'tokens/s', 'of the 60 tokens/s asked for', 'memory of the process'],
      ...rows,
    ],
    notes: [
      'Median over twelve turns of a dialogue, all layers tapped for the turn’s state, one thread; the process holds Node and ONNX Runtime besides.',
    ],
  };
}

async function measure(folder: string): Promise<Member> {
  const script = fileURLToPath(new URL('./family/member.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, folder]);
  return JSON.parse(stdout) as Member;
}
