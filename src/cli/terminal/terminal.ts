/**
 * The terminal: finished lines scroll away above, a panel (the utterance being spoken, progress, scores) is redrawn below.
 * Where the output is no terminal there is no panel: tokens are written as they come and the table now and then.
 */
import { scoreTable } from './score-table.ts';
import { tableNotes } from './table-notes.ts';
import { progress, type ViewState } from './view-state.ts';

export interface Terminal {
  /** A line that stays. */
  line(text: string): void;
  /** A finished utterance, of which the beginning may have been shown already. */
  utterance(spoken: { agent: string; text: string; note: string }): void;
  draw(state: ViewState): void;
  /** Removes the panel, so that what follows is plain text. */
  close(): void;
}

const BAR = 28;

export function createTerminal(out: NodeJS.WriteStream, elapsedMs: () => number): Terminal {
  return out.isTTY ? panelTerminal(out, elapsedMs) : plainTerminal(out, elapsedMs);
}

export function speakerLine(agent: string, text: string): string {
  return `  ${agent.padEnd(8)} ${text.replaceAll(/\s+/g, ' ').trim()}`;
}

export function progressLine(state: ViewState, elapsedMs: number): string {
  const full = Math.round(progress(state) * BAR);
  const bar = '█'.repeat(full) + '░'.repeat(BAR - full);
  const seconds = elapsedMs / 1000;
  const rate = seconds > 0 ? (state.tokens / seconds).toFixed(0) : '0';
  return `${bar}  ${state.finished}/${state.episodes} episodes  ${state.turns} turns  ${rate} tokens/s  ${clockText(seconds)}`;
}

function panelTerminal(out: NodeJS.WriteStream, elapsedMs: () => number): Terminal {
  let shown = 0;
  let panel: string[] = [];
  const clear = (): void => {
    if (shown > 0) out.write(`\u001b[${shown}A\u001b[0J`);
    shown = 0;
  };
  const show = (): void => {
    // A panel higher than the window could not be cleared again.
    const lines = panel.slice(0, Math.max(5, (out.rows || 24) - 1));
    out.write(lines.map((text) => `${fit(text, widthOf(out))}\n`).join(''));
    shown = lines.length;
  };
  const line = (text: string): void => {
    clear();
    out.write(`${text}\n`);
    show();
  };
  return {
    line,
    utterance: ({ agent, text, note }) => line(speakerLine(agent, text) + note),
    draw: (state) => {
      clear();
      panel = panelLines(state, { elapsedMs: elapsedMs(), width: widthOf(out) });
      show();
    },
    close: clear,
  };
}

/** What fits on a line; without a terminal there is no limit. */
export const widthOf = ({ isTTY, columns }: NodeJS.WriteStream): number =>
  isTTY ? Math.max(20, (columns || 80) - 1) : Infinity;

function panelLines(state: ViewState, { elapsedMs, width }: { elapsedMs: number; width: number }): string[] {
  const { speaking, report, note } = state;
  const now = speaking ? speakerLine(speaking.agent, speaking.text) : (note ?? '');
  const scores = report?.groups.length
    ? [...scoreTable(report, width), ...tableNotes(report)]
    : ['scores: waiting for the first turn pairs'];
  return [now, '', progressLine(state, elapsedMs), '', ...scores];
}

/** Episodes between two tables where the output is no terminal. */
const TABLE_EVERY = 10;
/** Between two notes there. */
const NOTE_EVERY_MS = 30_000;

const standing = (state: ViewState, elapsedMs: number): string =>
  [
    progressLine(state, elapsedMs),
    ...(state.report ? [...scoreTable(state.report), ...tableNotes(state.report)] : []),
  ].join('\n');

function plainTerminal(out: NodeJS.WriteStream, elapsedMs: () => number): Terminal {
  let open = '';
  let written = 0;
  let told = 0;
  let notedMs = -NOTE_EVERY_MS;
  const write = (agent: string, text: string, key: string): void => {
    const whole = speakerLine(agent, text);
    out.write(open === key ? whole.slice(written) : whole);
    open = key;
    written = whole.length;
  };
  const end = (note: string): void => {
    if (open) out.write(`${note}\n`);
    open = '';
  };
  return {
    line: (text) => {
      end('');
      out.write(`${text}\n`);
    },
    utterance: ({ agent, text, note }) => {
      write(agent, text, open || 'whole');
      end(note);
    },
    draw: (state) => {
      if (state.speaking) {
        const { episode, turn, agent, text } = state.speaking;
        write(agent, text, `${episode}/${turn}`);
      } else if (state.note && elapsedMs() - notedMs >= NOTE_EVERY_MS) {
        notedMs = elapsedMs();
        out.write(`${state.note}\n`);
      } else if (state.finished >= told + TABLE_EVERY) {
        told = state.finished;
        out.write(`\n${standing(state, elapsedMs())}\n`);
      }
    },
    close: () => end(''),
  };
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

export function clockText(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
}
