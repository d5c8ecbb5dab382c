/** Runs and programs of the service as tables of text. */
import type { ProgramView, RunView } from '../../protocol/service-messages.ts';
import { shownText } from '../terminal/shown-text.ts';

const MINUTE_S = 60;

/** Columns as wide as their widest cell; the last one runs free. */
function columns(given: readonly (readonly string[])[]): string[] {
  const rows = given.map((row) => row.map(shownText));
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

export function runLines(runs: readonly RunView[], nowMs: number): string[] {
  if (runs.length === 0) return ['no runs'];
  const rows = runs.map((run) => [
    run.run,
    run.state,
    `${run.episodes.finished}/${run.episodes.all}`,
    run.state === 'running' && run.etaSeconds !== undefined ? lasting(run.etaSeconds) : '',
    run.submitter,
    String(run.priority),
    run.agents.join(','),
    `${lasting(Math.max(0, nowMs - run.submittedAtMs) / 1000)} ago`,
    run.reason ?? run.verdict ?? '',
  ]);
  return columns([
    ['RUN', 'STATE', 'EPISODES', 'LEFT', 'BY', 'PRIORITY', 'AGENTS', 'SUBMITTED', 'WHY, OR WHAT IT SHOWS'],
    ...rows,
  ]);
}

export function programLines(programs: readonly ProgramView[]): string[] {
  const rows = programs.map((one) => [
    one.program,
    one.name,
    one.state,
    one.run ?? '',
    one.model ?? '',
    one.provider ?? '',
    one.atOnce === undefined ? '' : String(one.atOnce),
    one.load === undefined ? '' : String(one.load),
    one.machine,
    one.version,
  ]);
  return columns([
    ['PROGRAM', 'NAME', 'STATE', 'RUN', 'MODEL', 'PROVIDER', 'AT ONCE', 'LOAD', 'MACHINE', 'VERSION'],
    ...rows,
  ]);
}

function lasting(seconds: number): string {
  if (seconds < MINUTE_S) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / MINUTE_S);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
