/** What a machine needs to take part in a service: each check says if all is well, what was found, and the cure. */
import { X509Certificate } from 'node:crypto';
import { readFile, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { fleetAnswerSchema } from '../../protocol/service-messages.ts';
import { systemClock as clock } from '../../process/clock.ts';
import { programVersion } from '../../process/version.ts';
import type { Service } from '../service/ask-service.ts';

export interface Finding {
  check: string;
  isWell: boolean;
  found: string;
  /** What to do; only where something is wrong. */
  cure?: string;
}

const well = (check: string, found: string): Finding => ({ check, isWell: true, found });
const wrong = (check: string, found: string, cure: string): Finding => ({
  check,
  isWell: false,
  found,
  cure,
});
const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const DAY_MS = 24 * 3600 * 1000;
const SOON_MS = 30 * DAY_MS;
/** A stream token holds for 15 minutes. */
const MOST_APART_MS = 60_000;
const LEAST_FREE = 0.05;

/** At least 2.9.10; 2.10.20 to 2.10.27 lose acknowledged messages. */
export function checkServerVersion(version: string): Finding {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const number = major * 1e6 + minor * 1e3 + patch;
  const found = `nats-server ${version}`;
  if (number < 2_009_010) return wrong('nats', found, 'install nats-server 2.9.10 or newer');
  if (number >= 2_010_020 && number <= 2_010_027)
    return wrong('nats', found, 'install 2.10.28 or newer: 2.10.20 to 2.10.27 lose acknowledged messages');
  return well('nats', found);
}

/** Clock beside the coordinator's, and versions of all programs. */
export async function checkFleet(service: Service): Promise<Finding[]> {
  const askedMs = clock.nowMs();
  try {
    const answer = await service.ask('fleet', {});
    const nowMs = clock.nowMs();
    const about = { code: 'MESSAGE_INVALID', what: 'The answer to "fleet"' } as const;
    const { programs, atMs } = parseMessage(fleetAnswerSchema, answer, about);
    const own = await programVersion();
    const others = programs.filter(({ version }) => version !== '' && version !== own);
    const named = others.map(({ program, name, version }) => `${program} ${name} has ${version}`);
    return [
      ...(atMs === undefined ? [] : [clockFinding({ askedMs, nowMs, atMs })]),
      others.length === 0
        ? well('versions', `${programs.length} programs of ${own}`)
        : wrong(
            'versions',
            `here ${own}; ${named.join(', ')}`,
            'use one release of entrain for all programs',
          ),
    ];
  } catch (error) {
    return [
      wrong(
        'service',
        sentence(error),
        'start a resident coordinator: entrain serve, or entrain coordinator',
      ),
    ];
  }
}

/** The coordinator's answer came between the two times; what is not explained by that is the clocks' difference. */
export function clockFinding({
  askedMs,
  nowMs,
  atMs,
}: {
  askedMs: number;
  nowMs: number;
  atMs: number;
}): Finding {
  const apartMs = Math.max(0, askedMs - atMs, atMs - nowMs);
  const found = `${(apartMs / 1000).toFixed(1)} s from the coordinator’s, at least`;
  return apartMs <= MOST_APART_MS ? well('clock', found) : wrong('clock', found, 'set both clocks by NTP');
}

export async function checkDisk(folder: string): Promise<Finding> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    const found = `${((bavail * bsize) / 1e9).toFixed(1)} GB free in ${folder}`;
    return bavail >= LEAST_FREE * blocks
      ? well('disk', found)
      : wrong('disk', found, 'free space: programs pause when the disk is full');
  } catch (error) {
    return wrong('disk', sentence(error), 'name a folder that is there with --runs');
  }
}

/** Whether a port can be listened on; port 0 is always free. */
export async function checkPort(port: number): Promise<Finding> {
  const fault = await new Promise<string | undefined>((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)));
  });
  return fault === undefined
    ? well('port', `${port} is free`)
    : wrong('port', `${port} is not free (${fault})`, 'end what listens there, or give another with --port');
}

/** When a certificate ends. */
export async function checkCertificate(file: string): Promise<Finding> {
  try {
    const { validTo } = new X509Certificate(await readFile(file));
    const leftMs = Date.parse(validTo) - clock.nowMs();
    const found = `${file} ${leftMs > 0 ? `holds for ${Math.floor(leftMs / DAY_MS)} days` : `ended on ${validTo}`}`;
    return leftMs > SOON_MS
      ? well('certificate', found)
      : wrong(
          'certificate',
          found,
          'make a new one (npm run secrets -- FOLDER NAME=HOST) and start its program again',
        );
  } catch (error) {
    return wrong('certificate', `${file}: ${sentence(error)}`, 'name a certificate in PEM');
  }
}
