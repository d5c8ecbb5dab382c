/** What an analyzer says of itself, of its streams and of how far the talk is: the JSON of `GET /api/state`. */

export interface StreamReport {
  stream: string;
  connected: boolean;
  /** Whether the stream is closed and its sender left in order, so that nothing is missing. */
  done: boolean;
  epoch: number;
  framesAccepted: number;
  framesDurable: number;
  /** Sender's clock minus the analyzer's, and the bound of its error; null before the first measurement. */
  clockOffsetMs: number | null;
  clockBoundMs: number | null;
}

export interface StateReport {
  run: string;
  /** All runs that this analyzer holds, latest last. */
  runs: string[];
  startedAtMs: number;
  nowMs: number;
  natsUp: boolean;
  streams: StreamReport[];
  episodes: { running: number; finished: number };
  turns: number;
  /** When the analyzer's /metrics were read last, and how long after the time before; null if they were not. */
  scrapedAtMs: number | null;
  scrapeEveryMs: number | null;
}
