/**
 * Terminal output: finished lines scroll up; below them a panel (the current utterance, progress, scores) is
 * redrawn. If the output is no terminal there is no panel: tokens are written as they come, and the table from
 * time to time.
 */
import { scoreTable } from './score-table.ts';
import { standingNote } from './table-notes.ts';
import { createColours } from './colours.ts';
import { barText, clockText, leftText } from './progress-bar.ts';
import { progress, type SpeakingView, type ViewState } from './view-state.ts';
import { shownText } from './shown-text.ts';
import { wrapWords } from './wrap-words.ts';

export interface Terminal {
  /** Prints a line that stays. */
  line(text: string): void;
  /** Prints the heading of an episode; the following output belongs to it. */
  heading(episode: string, text: string): void;
  /** Prints a finished utterance of the episode of the heading; its beginning may have been printed already. */
  utterance(spoken: { turn: number; agent: string; text: string; note: string }): void;
  draw(state: ViewState): void;
  /** Removes the panel, so that plain text can follow. */
  close(): void;
}

export function createTerminal(out: NodeJS.WriteStream, elapsedMs: () => number): Terminal {
  return out.isTTY ? panelTerminal(out, elapsedMs) : plainTerminal(out, elapsedMs);
}

const NAME_WIDTH = 8;

export function speakerLine(agent: string, text: string): string {
  return shownText(`  ${agent.padEnd(NAME_WIDTH)} ${text.replaceAll(/\s+/g, ' ').trim()}`);
}

/** @param of how long it has run, the columns at hand, and the share that was done before this program */
export function progressLine(
  state: ViewState,
  { elapsedMs, width = Infinity, from = 0 }: { elapsedMs: number; width?: number; from?: number },
): string {
  const seconds = elapsedMs / 1000;
  const rate = seconds > 0 ? (state.tokens / seconds).toFixed(0) : '0';
  const share = progress(state);
  const left = leftText({ done: (share - from) / Math.max(1e-9, 1 - from), elapsedMs });
  const counts = `  ${state.finished}/${state.episodes} episodes  ${state.turns} turns  ${rate} tokens/s  ${clockText(seconds)}${left}`;
  return barText(share, width - counts.length) + counts;
}

function panelTerminal(out: NodeJS.WriteStream, elapsedMs: () => number): Terminal {
  let [shown, focus] = [0, ''];
  let panel: string[] = [];
  let from: number | undefined;
  const colours = createColours();
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
  const write = (lines: string[]): void => {
    clear();
    out.write(lines.map((text) => `${text}\n`).join(''));
    show();
  };
  const wrapped = (one: string): string[] => wrapWords(one, { width: widthOf(out), indent: 0 });
  const line = (text: string): void => write(shownText(text).split('\n').flatMap(wrapped));
  return {
    line,
    heading: (episode, text) => {
      focus = episode;
      write(['', ...wrapped(shownText(text)).map(colours.heading)]);
    },
    utterance: ({ agent, text, note }) => {
      const lines = spokenLines(agent, text + note, widthOf(out));
      write([colours.speaker(lines[0] ?? '', agent), ...lines.slice(1)]);
    },
    draw: (state) => {
      clear();
      from ??= progress(state);
      panel = panelLines(state, { elapsedMs: elapsedMs(), width: widthOf(out), focus, from });
      show();
    },
    close: clear,
  };
}

const spokenLines = (agent: string, text: string, width: number): string[] =>
  wrapWords(speakerLine(agent, text), { width, indent: indentOf(agent) });

/** Lines of the utterance that is being spoken, of which the panel has room for few: the latest words stay in sight. */
const MOST_SPOKEN = 4;

function latestLines({ agent, text }: SpeakingView, width: number): string[] {
  const lines = spokenLines(agent, text, width);
  return lines.length <= MOST_SPOKEN ? lines : [speakerLine(agent, '…'), ...lines.slice(1 - MOST_SPOKEN)];
}

/** Column at which the words of a speaker begin. */
const indentOf = (agent: string): number => 3 + Math.max(NAME_WIDTH, agent.length);

/** Columns of the terminal; unlimited if the output is no terminal. */
export const widthOf = ({ isTTY, columns }: NodeJS.WriteStream): number =>
  isTTY ? Math.max(20, (columns || 80) - 1) : Infinity;

interface Panel {
  elapsedMs: number;
  width: number;
  /** The episode whose utterance is shown while it is spoken. */
  focus: string;
  /** Share of the run that was done before. */
  from: number;
}

function panelLines(state: ViewState, { elapsedMs, width, focus, from }: Panel): string[] {
  const { report, note } = state;
  const speaking = state.speaking.get(focus);
  const now = speaking ? latestLines(speaking, width) : [note ?? ''];
  const scores = report?.groups.length
    ? [...scoreTable(report, { width, isVerbose: false }), standingNote(report)]
    : ['scores: waiting for the first turn pairs'];
  return [...now, '', progressLine(state, { elapsedMs, width, from }), '', ...scores].map(shownText);
}

/** Number of episodes between two tables if the output is no terminal. */
const TABLE_EVERY = 10;
/** Time between two notes if the output is no terminal. */
const NOTE_EVERY_MS = 30_000;

const standing = (state: ViewState, elapsedMs: number): string =>
  [
    progressLine(state, { elapsedMs }),
    ...(state.report ? [...scoreTable(state.report, { isVerbose: false }), standingNote(state.report)] : []),
  ].join('\n');

/** Writes the turns of one episode at a time, each as far as it has been spoken. */
interface Speech {
  begin(episode: string): void;
  write(turn: number, agent: string, text: string): void;
  /** Ends the current line, if there is one. */
  end(note: string): void;
  readonly episode: string;
}

function createSpeech(out: NodeJS.WriteStream): Speech {
  let open = '';
  let episode = '';
  let written = 0;
  const end = (note: string): void => {
    if (open) out.write(`${note}\n`);
    open = '';
  };
  return {
    end,
    get episode() {
      return episode;
    },
    begin: (next) => {
      end('');
      episode = next;
    },
    write: (turn, agent, text) => {
      const key = `${episode}/${turn}`;
      if (open !== key) end('');
      const whole = speakerLine(agent, text);
      out.write(open === key ? whole.slice(written) : whole);
      open = key;
      written = whole.length;
    },
  };
}

function plainTerminal(out: NodeJS.WriteStream, elapsedMs: () => number): Terminal {
  const speech = createSpeech(out);
  let told = 0;
  let notedMs = -NOTE_EVERY_MS;
  const line = (text: string): void => {
    speech.end('');
    out.write(`${shownText(text)}\n`);
  };
  return {
    line,
    heading: (episode, text) => {
      line(`\n${text}`);
      speech.begin(episode);
    },
    utterance: ({ turn, agent, text, note }) => {
      speech.write(turn, agent, text);
      speech.end(note);
    },
    draw: (state) => {
      // Only the episode of the heading is written token by token.
      const speaking = state.speaking.get(speech.episode);
      if (speaking) {
        speech.write(speaking.turn, speaking.agent, speaking.text);
      } else if (state.note && elapsedMs() - notedMs >= NOTE_EVERY_MS) {
        notedMs = elapsedMs();
        out.write(`${state.note}\n`);
      } else if (state.finished >= told + TABLE_EVERY) {
        told = state.finished;
        out.write(`\n${shownText(standing(state, elapsedMs()))}\n`);
      }
    },
    close: () => speech.end(''),
  };
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
