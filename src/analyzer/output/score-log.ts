/**
 * Writes every published score as a line of `scores.jsonl` in the run's folder, with the seed and the rows that a
 * replay needs. A line is provisional unless it was written after the end of the run with everything recorded in it.
 * A line lists only rows that no earlier line has, so the file grows with the rows and not with their square.
 */
import { appendFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../process/make-folder.ts';
import type { Logger } from '../../process/log.ts';
import type { Verdict } from '../../protocol/reports/score-report.ts';
import type { TalkReport } from '../../protocol/reports/talk-report.ts';
import { distanceOf, type Group } from '../ingest/episode-index.ts';
import { stepRecord } from '../steps/step-record.ts';
import type { StepScore } from '../steps/step-messages.ts';
import type {
  BesideScore,
  BranchScore,
  DifferenceScore,
  GroupScore,
  PairScore,
} from '../scoring/messages.ts';
import { createBranchLines, type BranchLines } from './score-log-branches.ts';
import { createRowLines, type RowLines } from './score-log-rows.ts';

export interface Stamp {
  atMs: number;
  provisional: boolean;
}

/** Additional fields of a final line: q value and verdict. */
export interface Standing {
  qValue: number | null;
  verdict: Verdict | null;
  /** Quality of the talk; also in lines that are not final. */
  talk: TalkReport | null;
}

export interface ScoreLog {
  append(score: GroupScore, stamp: Stamp & Partial<Standing>): void;
  /** Writes secondary analyses, a pair's means, or a difference between conditions. */
  appendPart(part: BesideScore | PairScore | DifferenceScore, stamp: Stamp): void;
  /** The figures of counterfactual branches. */
  appendBranches(score: BranchScore, stamp: Stamp): void;
  /**
   * Writes the score of one dyad's window of steps; nothing if it has too few steps. A single dyad is never a result.
   */
  appendSteps(score: StepScore, atMs: number): void;
  /** Keeps nothing of a run whose lines are written; a further line is written as after a restart. */
  forget(run: string): void;
  /** Settles when all lines appended so far are written. */
  written(): Promise<void>;
}

/** Of one run. */
interface Ledgers extends RowLines {
  branches: BranchLines;
}

const FILE = 'scores.jsonl';

export function createScoreLog(runsFolder: string, log: Logger): ScoreLog {
  const ledgers = new Map<string, Ledgers>();
  let writing = Promise.resolve();
  const inTurn = (run: string, work: () => Promise<void>): void => {
    writing = writing
      .then(work)
      .catch((error: unknown) => log.error({ err: error, run }, 'a score was not written to the run folder'));
  };
  const add = (run: string, record: object): void =>
    inTurn(run, () => appendFile(join(runsFolder, run, FILE), `${JSON.stringify(record)}\n`));
  const ledgerOf = (run: string): Ledgers => {
    const known = ledgers.get(run);
    if (known) return known;
    const fresh = { ...createRowLines(), branches: createBranchLines() };
    ledgers.set(run, fresh);
    inTurn(run, () => openFile(join(runsFolder, run)));
    return fresh;
  };
  return {
    append: (score, stamp) => {
      if (!score.paper && !score.strict) return;
      const { replicates: _, group, ...rest } = score;
      add(score.run, { ...stamp, ...namesOf(group), ...rest, ...ledgerOf(score.run).full(group.key, score) });
    },
    appendPart: (part, stamp) => {
      const ledger = ledgerOf(part.run);
      const rows = part.type === 'beside' ? ledger.beside(part) : {};
      add(part.run, { ...stamp, ...part, ...rows });
    },
    appendBranches: (score, stamp) =>
      add(score.run, { ...stamp, ...ledgerOf(score.run).branches.line(score) }),
    appendSteps: (score, atMs) => {
      if (Object.keys(score.figures).length === 0) return;
      ledgerOf(score.run);
      add(score.run, { ...stepRecord(score, atMs), provisional: true });
    },
    forget: (run) => void ledgers.delete(run),
    written: () => writing,
  };
}

function namesOf({ key, ...names }: Group): object {
  return { group: key, ...names, distance: distanceOf(names) };
}

const NEWLINE = 10;
const TAIL_BYTES = 64 * 1024;

/** Creates the folder, and cuts off a torn last line, since the next one must begin a line of its own. */
async function openFile(folder: string): Promise<void> {
  await makeFolder(folder);
  const file = await open(join(folder, FILE), 'a+', 0o600);
  try {
    let { size } = await file.stat();
    const tail = Buffer.alloc(TAIL_BYTES);
    for (let end = size; end > 0;) {
      const from = Math.max(0, end - TAIL_BYTES);
      const { bytesRead } = await file.read(tail, 0, end - from, from);
      const newline = tail.subarray(0, bytesRead).lastIndexOf(NEWLINE);
      if (newline >= 0 || from === 0) {
        size = from + newline + 1;
        break;
      }
      end = from;
    }
    await file.truncate(size);
  } finally {
    await file.close();
  }
}
