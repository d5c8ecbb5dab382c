/** What resident programs take at a moment: memory and open files by the kernel, series, JetStream, what is on disk. */
import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { AGENT_SERVICE, ANALYZER_SERVICE, COORDINATOR_SERVICE, names } from '../src/protocol/subjects.ts';
import type { NatsLink } from '../src/transport/nats/connection.ts';
import { findServices, type ServiceRecord } from '../src/transport/nats/services.ts';
import type { Fleet, Program } from '../test/fixtures/programs/fleet.ts';

export interface ManyRunsLook {
  load: number;
  /** In JetStream; the buckets are two of the streams. */
  streams: number;
  consumers: number;
  /** Of the bucket of runs. */
  rows: number;
  /** By program. */
  residentMb: Record<string, number>;
  openFiles: Record<string, number>;
  series: Record<string, number>;
  /** By folder: run folders, what agents keep, the store of NATS. */
  files: Record<string, number>;
  kilobytes: Record<string, number>;
}

export interface Looking {
  fleet: Fleet;
  /** Of all that is written, besides the store of NATS. */
  folder: string;
  programs: readonly Program[];
  /** With the coordinator's rights. */
  link: NatsLink;
}

const AGAIN_MS = 1000;

export async function lookAt({ fleet, folder, programs, link }: Looking): Promise<ManyRunsLook> {
  const manager = await link.connection.jetstreamManager();
  const { streams, consumers } = await manager.getAccountInfo();
  const { state } = await manager.streams.info(`KV_${names.rowsBucket}`, { subjects_filter: '>' });
  const pids = [
    ...programs.map((program) => [program, fleet.pid(program)] as const),
    ['nats-server', fleet.nats.pid()] as const,
  ];
  const byProgram = async (read: (pid: number) => Promise<number>): Promise<Record<string, number>> =>
    Object.fromEntries(
      await Promise.all(pids.map(async ([program, pid]) => [program, await read(pid)] as const)),
    );
  const disk = {
    runs: await sizeOf([fleet.runs]),
    agents: await sizeOf([join(folder, 'spool'), join(folder, 'cache')]),
    nats: await sizeOf([fleet.nats.store]),
  };
  const ofDisk = (figure: 'files' | 'kilobytes'): Record<string, number> =>
    Object.fromEntries(Object.entries(disk).map(([place, size]) => [place, size[figure]]));
  return {
    load: loadavg()[0] ?? 0,
    streams,
    consumers,
    rows: Object.keys(state.subjects ?? {}).length,
    residentMb: await byProgram(residentMb),
    openFiles: await byProgram(async (pid) => (await readdir(`/proc/${pid}/fd`)).length),
    series: await countSeries(link, programs),
    files: ofDisk('files'),
    kilobytes: ofDisk('kilobytes'),
  };
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}

async function countSeries(link: NatsLink, programs: readonly Program[]): Promise<Record<string, number>> {
  // Busy programs may not answer the first look.
  for (let tries = 0; ; tries += 1) {
    const found = [
      ...named(await findServices(link, COORDINATOR_SERVICE, AGAIN_MS), () => 'coordinator'),
      ...named(await findServices(link, ANALYZER_SERVICE, AGAIN_MS), () => 'analyzer'),
      ...named(await findServices(link, AGENT_SERVICE, AGAIN_MS), ({ agent }) => `agent-${agent}`),
    ];
    if (found.length < programs.length && tries < 60) continue;
    return Object.fromEntries(
      await Promise.all(found.map(async ([program, url]) => [program, await seriesAt(url)] as const)),
    );
  }
}

const named = (
  records: readonly ServiceRecord[],
  nameOf: (metadata: Record<string, string>) => string,
): [program: string, url: string][] =>
  records.map(({ metadata }) => [nameOf(metadata), metadata['metricsUrl'] ?? '']);

async function seriesAt(url: string): Promise<number> {
  const text = await fetch(url).then((answer) => answer.text());
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
}

/** Reads the folder again where one below it went meanwhile. */
async function listed(folder: string, tries = 20): Promise<Dirent[]> {
  return readdir(folder, { recursive: true, withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (tries > 0 && error.code === 'ENOENT') return listed(folder, tries - 1);
    return [];
  });
}

/** Files that go while they are counted are not counted. */
async function sizeOf(folders: readonly string[]): Promise<{ files: number; kilobytes: number }> {
  const sizes: number[] = [];
  for (const folder of folders) {
    const entries = await listed(folder);
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const found = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
      if (found) sizes.push(found.size);
    }
  }
  return { files: sizes.length, kilobytes: Math.round(sizes.reduce((sum, bytes) => sum + bytes, 0) / 1024) };
}
