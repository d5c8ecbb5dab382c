/**
 * What the benchmark of GPUs asks of a process of its own, so that a driver that ends the process ends that part alone.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Provider } from '../../src/model/types.ts';

export interface GpuSubject {
  name: string;
  folder: string;
  /** Turns of a dialogue that its context holds. */
  turns: number;
  /** Absent where only the states matter. */
  speed?: { tokens: number; rounds: number };
}

export type GpuTask =
  | { part: 'agreement' | 'speed'; provider: Provider; subject: GpuSubject }
  | { part: 'products'; provider: Provider };

/** Cells behind the provider: of what, quantity, there, on the CPU, bar. */
export type Row = [subject: string, quantity: string, there: string, cpu: string, bar: string];

/** Software in a GPU's place is slow enough never to end. */
const LIMIT_MS = 100_000;

/** Rows of a task; of one that failed a row that says so, the whole of what it said going to standard error. */
export async function runTask(task: GpuTask): Promise<Row[]> {
  const subject = task.part === 'products' ? 'products' : task.subject.name;
  const report = await runNode('./member.js', [JSON.stringify(task)]);
  if ('fault' in report) return [[subject, task.part, report.fault, '', '']];
  return JSON.parse(report.stdout) as Row[];
}

interface AgentReport {
  tokensPerSecond: number;
}

export interface Agents {
  folder: string;
  provider: Provider;
  /** Processes that speak at once. */
  count: number;
  device?: number;
}

/** @returns tokens per second of each, or what went wrong */
export async function runAgents({ folder, provider, count, device }: Agents): Promise<string> {
  const argv = [folder, provider, ...(device === undefined ? [] : [String(device)])];
  const reports = await Promise.all(
    Array.from({ length: count }, () => runNode('../family/member.js', argv)),
  );
  const said = reports.map((report) => {
    if ('fault' in report) return report.fault;
    return (JSON.parse(report.stdout) as AgentReport).tokensPerSecond.toFixed(0);
  });
  return said.every((one) => !Number.isNaN(Number(one))) ? `${said.join(', ')} tokens/s` : said.join('; ');
}

type Report = { stdout: string } | { fault: string };

async function runNode(module: string, argv: string[]): Promise<Report> {
  const script = fileURLToPath(new URL(module, import.meta.url));
  const limits = { timeout: LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: 2 ** 24 } as const;
  try {
    return await promisify(execFile)(process.execPath, [script, ...argv], limits);
  } catch (error) {
    const { killed, code, signal, stderr } = error as Ended;
    console.error(`${module} ${argv.join(' ')}\n${stderr}`);
    if (killed) return { fault: `not done after ${LIMIT_MS / 1000} s` };
    return { fault: `failed (${signal ?? code}): ${lastSentence(stderr)}` };
  }
}

interface Ended {
  killed: boolean;
  code: number | null;
  signal: string | null;
  stderr: string;
}

/** The line that names the error, fit for a table. */
function lastSentence(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const named = lines.findLast((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? '';
  return named.replaceAll('|', '/').slice(0, 300);
}
