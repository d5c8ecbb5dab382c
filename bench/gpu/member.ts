/** Runs one task of the GPU benchmark, given as JSON in its argument; writes its rows to standard output as JSON. */
import { measureAgreement } from './agreement.ts';
import { measureProducts } from './products.ts';
import { measureSpeed } from './speed.ts';
import type { GpuTask, Row } from './tasks.ts';

const task = JSON.parse(process.argv[2] ?? '') as GpuTask;
console.log(JSON.stringify(await rowsOf(task)));

async function rowsOf(task: GpuTask): Promise<Row[]> {
  switch (task.part) {
    case 'agreement':
      return measureAgreement(task.provider, task.subject);
    case 'speed':
      return measureSpeed(task.provider, task.subject);
    case 'products':
      return measureProducts(task.provider);
  }
}
