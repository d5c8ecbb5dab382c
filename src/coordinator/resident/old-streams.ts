/**
 * Forgets runs that finished long ago: removes their JetStream streams with their consumers, and their rows. What was
 * said and what was decided stands in the run folder; recordings have a budget of their own.
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

/** Rows say which analyzers have still to be told that the run is over. */
const mayForget = ({ outcome, recorder }: RunRows): boolean =>
  outcome?.value.streamRemoved === true &&
  (recorder?.value.before ?? []).every(
    (id) => recorder?.value.told.includes(id) || id === recorder?.value.analyzer,
  );

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
    // Kept first, so that no coordinator begins the run anew should this one end between the two.
    await rows.writeRun(run, 'outcome', { ...outcome.value, streamRemoved: true });
    log.info({ run, finishedAtMs: outcome.value.atMs }, 'stream of an old run removed');
  }
  for (const [run, of] of rows.runs) if (mayForget(of)) await rows.forgetRun(run);
  return old.map(([run]) => run);
}
