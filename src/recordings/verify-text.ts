/** The report of `entrain verify` as text. */
import type { Removal } from '../journal/retention.ts';
import type { VerifyReport } from './verify-run.ts';

const MOST_LINES = 20;

export function verifyText(report: VerifyReport): string {
  if (report.removed && report.frames === 0) return `${removedText(report.removed)}\n`;
  const { streams, segments, frames, bytes, epochs, faults, open, gapFrames, utterances, lacking } = report;
  const lines = [
    `${count(streams, 'stream')}, ${count(segments, 'segment')}, ${count(frames, 'frame')}, ${(bytes / 1e6).toFixed(1)} MB`,
    ...epochs.map(({ stream, epoch, lastSeq }) => `  ${stream} epoch ${epoch}: up to frame ${lastSeq}`),
    ...section('faults', faults),
    ...section('still open (the analyzer runs, or was killed: start it again to seal)', open),
  ];
  if (gapFrames > 0) lines.push(`${count(gapFrames, 'frame')} declared lost by the sender`);
  if (report.branches) lines.push(branchesText(report.branches));
  if (report.controls) lines.push(controlsText(report.controls));
  lines.push(`sound: ${report.sound ? 'yes' : 'no'}`, ...section('not as planned and said', lacking));
  if (!utterances) lines.push('complete: unknown, for there is no transcript.jsonl');
  else {
    lines.push(...section('not whole', utterances.incomplete));
    const whole = utterances.total - utterances.incomplete.length;
    lines.push(
      `complete: ${report.complete ? 'yes' : 'no'}, ${whole} of ${count(utterances.total, 'utterance')} whole`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Why nothing of a run is left to read. */
export function removedText({ atMs, segments, bytes }: Removal): string {
  const date = new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
  return `removed by retention on ${date} UTC (${count(segments, 'segment')}, ${(bytes / 1e6).toFixed(1)} MB); run.json, events, transcript and scores are kept`;
}

function branchesText(report: NonNullable<VerifyReport['branches']>): string {
  const { turns, alternatives, skipped, patched, unpatched } = report;
  const near = skipped > 0 ? `, ${count(skipped, 'turn')} skipped near the end of the context` : '';
  const moved = patched > 0 ? `, ${count(patched, 'version')} with a moved state` : '';
  const few =
    unpatched > 0 ? `, ${count(unpatched, 'turn')} without, of agents that had kept too few states` : '';
  return `branches: ${count(turns, 'turn')}, ${count(alternatives, 'alternative')}${moved}${few}${near}`;
}

function controlsText({ read, unread }: NonNullable<VerifyReport['controls']>): string {
  const not = unread > 0 ? `, ${count(unread, 'heard turn')} not` : '';
  return `controls: ${count(read, 'heard turn')} read behind another history as well${not}`;
}

function section(title: string, items: string[]): string[] {
  if (items.length === 0) return [];
  const more = items.length - MOST_LINES;
  const shown = items.slice(0, MOST_LINES).map((item) => `  ${item}`);
  return [`${title}:`, ...shown, ...(more > 0 ? [`  and ${more} more`] : [])];
}

const count = (n: number, what: string): string => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;
