/**
 * Keeps the folder of recordings within its budget: checks from time to time, removes what the retention rule
 * chooses, and announces it.
 */
import { join } from 'node:path';
import {
  chooseRemovals,
  listRuns,
  markFinished,
  mayGo,
  removeSegments,
  totalBytes,
} from '../../journal/retention.ts';
import type { Clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import type { RetentionEvent } from '../../protocol/nats-messages.ts';

export interface BudgetOptions {
  runsFolder: string;
  /** Undefined if nothing is ever removed. */
  budgetBytes: number | undefined;
  clock: Clock;
  log: Logger;
  onRemoved(event: RetentionEvent): void;
}

export interface BudgetFigures {
  recordedBytes: number;
  budgetBytes: number | undefined;
  removedRuns: number;
  removedBytes: number;
}

export interface Budget {
  /** Marks a run as over, recorded and sealed. */
  finished(run: string): Promise<void>;
  /** Bytes that a new run may take beside what must stay; Infinity without a budget. */
  roomBytes(): Promise<number>;
  figures(): BudgetFigures;
  stop(): void;
}

const LOOK_MS = 60_000;

export function keepBudget(options: BudgetOptions): Budget {
  const { runsFolder, budgetBytes, clock, log } = options;
  const figures: BudgetFigures = { recordedBytes: 0, budgetBytes, removedRuns: 0, removedBytes: 0 };
  let last: Promise<void> = Promise.resolve();
  const look = (): Promise<void> => {
    last = last.then(() => sweep(options, figures)).catch((err: unknown) => log.error({ err }, 'budget'));
    return last;
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  void look();
  return {
    finished: async (run) => {
      await markFinished(join(runsFolder, run), { atMs: clock.nowMs(), sealed: true });
      await look();
    },
    roomBytes: async () => {
      await look();
      if (budgetBytes === undefined) return Infinity;
      const stays = (await listRuns(runsFolder)).filter((run) => !mayGo(run));
      return Math.max(0, budgetBytes - totalBytes(stays));
    },
    figures: () => figures,
    stop: () => clearInterval(timer),
  };
}

async function sweep(options: BudgetOptions, figures: BudgetFigures): Promise<void> {
  const { runsFolder, budgetBytes, clock, log, onRemoved } = options;
  const runs = await listRuns(runsFolder);
  figures.recordedBytes = totalBytes(runs);
  if (budgetBytes === undefined || figures.recordedBytes <= budgetBytes) return;
  for (const kept of chooseRemovals(runs, budgetBytes)) {
    const { run, bytes } = kept;
    const atMs = clock.nowMs();
    await removeSegments(runsFolder, kept, atMs);
    figures.recordedBytes -= bytes;
    figures.removedRuns += 1;
    figures.removedBytes += bytes;
    log.warn({ run, bytes }, 'recording removed to keep the budget');
    onRemoved({ type: 'recording-removed', run, bytes, atMs });
  }
  if (figures.recordedBytes > budgetBytes)
    log.warn({ ...figures }, 'recordings are above their budget, and the rest has to stay');
}
