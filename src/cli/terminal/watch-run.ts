/**
 * Feeds the terminal with the messages of a run: events, tokens and utterances from NATS, scores from the
 * analyzer.
 */
import { eventSchema, retentionSchema, parseMessage, tokenSchema } from '../../protocol/nats-messages.ts';
import { EntrainError } from '../../protocol/errors.ts';
import type { ScoreReport } from '../../protocol/reports/score-report.ts';
import type { StateReport } from '../../protocol/reports/state-report.ts';
import { subjects, tokenPlace } from '../../protocol/subjects.ts';
import { floorsAfter, floorsWith, NO_FLOORS, parseUtterance, turnFault } from '../../protocol/turn-order.ts';
import type { Clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';
import { subscribe } from '../../transport/nats/subscription.ts';
import { createHeadings, type Headings } from './headings.ts';
import type { Terminal } from './terminal.ts';
import { createStallLines } from './stalls.ts';
import { viewEvent, viewToken, viewUtterance, type ViewState } from './view-state.ts';

export interface RunWatch {
  /** Settles when the run is over. */
  readonly ended: Promise<NonNullable<ViewState['ended']>>;
  state(): ViewState;
  /** Prints a line about the state of the run. */
  note(text: string): void;
  stop(): void;
}

/** Where the analyzer answers, and the token for reading there. */
export interface AnalyzerPlace {
  url: string;
  token: string | undefined;
}

export interface RunWatchOptions {
  run: string;
  /** What is known of the run from before. */
  earlier: ViewState;
  link: NatsLink;
  terminal: Terminal;
  analyzer: AnalyzerPlace;
  /** Folder of the programs' logs, which the report of a stall names. */
  logFolder: string;
  clock: Pick<Clock, 'monotonicMs'>;
  log: Logger;
}

type Change = (next: (was: ViewState) => ViewState) => void;

const REDRAW_MS = 100;
const POLL_MS = 1000;
const WHAT = { code: 'MESSAGE_INVALID', what: 'A message of the run' } as const;

export function watchRun(options: RunWatchOptions): RunWatch {
  const { earlier, terminal, clock } = options;
  let state = earlier;
  let tell: (end: NonNullable<ViewState['ended']>) => void = () => undefined;
  const ended = new Promise<NonNullable<ViewState['ended']>>((resolve) => (tell = resolve));
  const change: Change = (next) => {
    state = next(state);
    if (state.ended) tell(state.ended);
  };
  if (earlier.ended) tell(earlier.ended);
  const headings = createHeadings(terminal);
  for (const [episode, { scenario, condition }] of earlier.running)
    headings.resume({ episode, scenario, condition });
  const subscriptions = subscribeAll(options, { headings, change });
  const stallLines = createStallLines(options);
  const redraw = setInterval(() => {
    for (const line of stallLines(state, clock.monotonicMs())) terminal.line(line);
    terminal.draw(state);
  }, REDRAW_MS);
  const poll = setInterval(
    () =>
      void fetchReport(options.analyzer).then(
        (report) => (state = { ...state, report: report ?? state.report }),
      ),
    POLL_MS,
  );
  return {
    ended,
    state: () => state,
    note: (text) => (state = { ...state, note: text }),
    stop: () => {
      clearInterval(redraw);
      clearInterval(poll);
      for (const subscription of subscriptions) subscription.unsubscribe();
      headings.flush();
      terminal.close();
    },
  };
}

interface Shown {
  headings: Headings;
  change: Change;
}

function subscribeAll({ run, link, terminal, log }: RunWatchOptions, shown: Shown) {
  const show = showRun(terminal, shown);
  const on = (subject: string, take: (text: string, subject: string) => void) =>
    subscribe(link, {
      subject,
      take: (message) => showIfValid(() => take(message.text, message.subject)),
      log,
    });
  return [
    on(subjects.events(run), show.event),
    on(subjects.episodeEvents(run), show.event),
    on(subjects.analyzerEvent('*'), (text) => {
      const removal = parseMessage(retentionSchema, text, WHAT);
      terminal.line(`the recording of ${removal.run} was removed to keep the disk budget`);
    }),
    on(subjects.tokens(run), show.token),
    on(subjects.utterances(run), show.utterance),
  ];
}

/** Shows the messages of a run; of the utterances, only those that count as turns. */
function showRun(terminal: Terminal, { headings, change }: Shown) {
  let floors = NO_FLOORS;
  return {
    event: (text: string): void => {
      const event = parseMessage(eventSchema, text, WHAT);
      floors = floorsAfter(floors, event);
      if (event.type === 'episode-started') headings.begin(event);
      if (event.type === 'episode-taken-over')
        terminal.line(
          `${event.agent} takes over from ${event.lost} at turn ${event.turn} of ${event.episode}`,
        );
      change((was) => viewEvent(was, event));
      if (event.type === 'episode-finished') headings.end(event.episode);
    },
    token: (text: string, subject: string): void => {
      const token = parseMessage(tokenSchema, text, WHAT);
      if (token.agent !== tokenPlace(subject).agent) return;
      headings.afterBegin(token.episode, () => change((was) => viewToken(was, token)));
    },
    utterance: (text: string, subject: string): void => {
      const utterance = parseUtterance({ subject, text });
      const floor = floors.get(utterance.episode);
      // For an episode that began before this program it is not known who may speak.
      if (floor && turnFault(floor, utterance) !== undefined) return;
      floors = floorsWith(floors, utterance);
      const { episode, turn, agent, text: words, finish } = utterance;
      const note = finish === 'leave' ? '  (leaves)' : '';
      headings.afterBegin(episode, () => change((was) => viewUtterance(was, utterance)));
      if (finish === 'absent') return;
      headings.under(episode, () => terminal.utterance({ turn, agent, text: words, note }));
    },
  };
}

/** Shows a message if it can be read; invalid ones are reported in the programs' logs. */
function showIfValid(show: () => void): void {
  try {
    show();
  } catch (error) {
    if (!(error instanceof EntrainError)) throw error;
  }
}

/** The analyzer's scores now; undefined while it does not answer. */
export const fetchReport = (analyzer: AnalyzerPlace): Promise<ScoreReport | undefined> =>
  fetchJson<ScoreReport>(analyzer, '/api/scores');

export const fetchState = (analyzer: AnalyzerPlace): Promise<StateReport | undefined> =>
  fetchJson<StateReport>(analyzer, '/api/state');

/** Undefined when the analyzer does not answer, or knows no run. */
async function fetchJson<T>({ url, token }: AnalyzerPlace, path: string): Promise<T | undefined> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  try {
    const answer = await fetch(`${url}${path}`, { headers, signal: AbortSignal.timeout(5000) });
    return answer.ok ? ((await answer.json()) as T) : undefined;
  } catch {
    return undefined;
  }
}
