/** The ledgers that the senders kept against what the recording holds. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRecording } from '../../src/journal/read-recording.ts';
import type { Place } from './programs.ts';

export interface Comparison {
  /** Frames that senders accepted. */
  accepted: number;
  lost: number;
  changed: number;
  doubled: number;
  /** Recorded, but in no ledger: what a sender accepted in the moment it was killed. */
  unlisted: number;
  gaps: number;
}

export async function compareLedgers(place: Place): Promise<Comparison> {
  const ledger = await readLedgers(place.folder);
  const seen = new Map<string, number>();
  const result: Comparison = { accepted: ledger.size, lost: 0, changed: 0, doubled: 0, unlisted: 0, gaps: 0 };
  for await (const { stream, epoch, message } of readRecording(place.runFolder)) {
    if (message.type === 'gap') result.gaps += 1;
    if (message.type !== 'steps') continue;
    const key = `${stream} ${epoch} ${message.seq}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
    const hash = ledger.get(key);
    if (hash === undefined) result.unlisted += 1;
    else if (hash !== createHash('sha256').update(message.data).digest('hex')) result.changed += 1;
  }
  for (const key of ledger.keys()) if (!seen.has(key)) result.lost += 1;
  for (const times of seen.values()) if (times > 1) result.doubled += 1;
  return result;
}

async function readLedgers(folder: string): Promise<Map<string, string>> {
  const ledger = new Map<string, string>();
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.ledger'))) {
    const lines = (await readFile(join(folder, file), 'utf8')).split('\n');
    // A kill may have torn the last line; its frame may or may not be there.
    for (const line of lines.slice(0, -1)) {
      const [stream, epoch, seq, hash] = line.split(' ');
      ledger.set(`${stream} ${epoch} ${seq}`, hash as string);
    }
  }
  return ledger;
}

/** What is wrong, as sentences; `mayEndUnlisted`: how many senders were killed. */
export function faultsOf(name: string, found: Comparison, mayEndUnlisted = 0): string[] {
  const { lost, changed, doubled, unlisted, gaps, accepted } = found;
  const faults = Object.entries({ lost, changed, doubled, gaps })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${name}: ${count} frames ${what}`);
  if (unlisted > mayEndUnlisted) faults.push(`${name}: ${unlisted} frames that nobody sent`);
  if (accepted === 0) faults.push(`${name}: nothing was sent`);
  return faults;
}
