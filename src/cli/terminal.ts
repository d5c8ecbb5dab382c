/**
 * The terminal: finished lines scroll away above, a panel (the utterance being spoken, progress, scores) is redrawn below.
 * Where the output is no terminal there is no panel: tokens are written as they come and the table now and then.
 */
import { scoreTable } from './score-table.ts';
import { progress, type ViewState } from './view-state.ts';

export interface Terminal {
  /** A line that stays. */
  line(text: string): void;
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
  const clear = (): void => {
    if (shown > 0) out.write(`\u001b[${shown}A\u001b[0J`);
    shown = 0;
  };
  let panel: string[] = [];
  const show = (): void => {
    const width = Math.max(20, (out.columns || 80) - 1);
    out.write(panel.map((text) => `${fit(text, width)}\n`).join(''));
    shown = panel.length;
  };
  return {
    line: (text) => {
      clear();
      out.write(`${text}\n`);
      show();
    },
    draw: (state) => {
      const { speaking, report } = state;
      const now = speaking ? speakerLine(speaking.agent, speaking.text) : '';
      panel = [
        now,
        '',
        progressLine(state, elapsedMs()),
        '',
        ...(report?.groups.length ? scoreTable(report) : ['scores: waiting for the first turn pairs']),
      ];
      clear();
      show();
    },
    close: clear,
  };
}

function plainTerminal(out: NodeJS.WriteStream, elapsedMs: () => number): Terminal {
  let open = '';
  let written = 0;
  let told = -1;
  return {
    line: (text) => {
      // The utterance that was written token by token is this line already: only its end is missing.
      if (open && text.startsWith('  ')) out.write('\n');
      else out.write(`${open ? '\n' : ''}${text}\n`);
      open = '';
      written = 0;
    },
    draw: (state) => {
      if (state.speaking) {
        const { episode, turn, agent, text } = state.speaking;
        const key = `${episode}/${turn}`;
        if (open !== key) {
          out.write(`${open ? '\n' : ''}  ${agent.padEnd(8)} `);
          open = key;
          written = 0;
        }
        const whole = text.replaceAll(/\s+/g, ' ').trimStart();
        out.write(whole.slice(written));
        written = whole.length;
      } else if (!open && state.finished !== told && state.finished % 8 === 0) {
        told = state.finished;
        out.write(`${progressLine(state, elapsedMs())}\n`);
        if (state.report?.groups.length) out.write(`${scoreTable(state.report).join('\n')}\n`);
      }
    },
    close: () => undefined,
  };
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

function clockText(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
}
