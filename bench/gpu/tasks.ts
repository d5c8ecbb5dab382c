/**
 * Tasks of the GPU benchmark, each in a process of its own, so that a crash of the driver ends only that task.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Provider } from '../../src/model/types.ts';

export interface GpuSubject {
  name: string;
  folder: string;
  /** Number of dialogue turns that fit into its context. */
  turns: number;
  /** Absent if only states are compared. */
  speed?: { tokens: number; rounds: number };
}

export type GpuTask =
  | { part: 'agreement' | 'speed'; provider: Provider; subject: GpuSubject }
  | { part: 'products'; provider: Provider };

/** Cells after the provider: subject, quantity, value on the provider, on the CPU, and the limit. */
export type Row = [subject: string, quantity: string, there: string, cpu: string, bar: string];

/** A software implementation of a GPU may take too long. */
const LIMIT_MS = 100_000;

/** Rows of a task. A failed task gives one row that says so; its whole output goes to standard error. */
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
  /** Number of processes at the same time. */
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

/** The line with the error, shortened for a table. */
function lastSentence(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const named = lines.findLast((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? '';
  return named.replaceAll('|', '/').slice(0, 300);
}
