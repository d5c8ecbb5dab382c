/**
 * Removes the JetStream streams of runs that finished long ago, with their consumers. What was said and what was
 * decided stands in the run folder; recordings have a budget of their own.
 */
import { names } from '../../protocol/subjects.ts';
import type { Clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import { removeStream } from '../../transport/nats/streams.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';
import type { RunRows, ServiceRows } from './service-rows.ts';

/** When the stream of a finished run is removed, milliseconds since 1970; undefined if it is gone, or never goes. */
export function streamUntilMs({ outcome }: RunRows, keepMs: number): number | undefined {
  if (outcome?.value.state !== 'finished' || outcome.value.streamRemoved || keepMs === Infinity)
    return undefined;
  return outcome.value.atMs + keepMs;
}

/** @returns the runs whose streams were removed now */
export async function removeOldStreams(of: {
  link: NatsLink;
  rows: ServiceRows;
  keepMs: number;
  clock: Clock;
  log: Logger;
}): Promise<string[]> {
  const { link, rows, keepMs, clock, log } = of;
  const nowMs = clock.nowMs();
  const old = [...rows.runs].filter(([, run]) => (streamUntilMs(run, keepMs) ?? Infinity) <= nowMs);
  for (const [run, { outcome }] of old) {
    if (!outcome) continue;
    await removeStream(link.connection, names.stream(run));
    await rows.writeRun(run, 'outcome', { ...outcome.value, streamRemoved: true });
    log.info({ run, finishedAtMs: outcome.value.atMs }, 'stream of an old run removed');
  }
  return old.map(([run]) => run);
}
