/**
 * Tells analyzers that were lost, and are back with their disks, that runs they recorded a part of are over: until then
 * retention leaves those recordings alone.
 */
import type { Logger } from '../../process/log.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';
import { tellFinished } from '../check-disk.ts';
import type { FleetSource } from '../fleet.ts';
import type { ServiceRows } from './service-rows.ts';

export async function tellFormer(of: {
  link: NatsLink;
  rows: Pick<ServiceRows, 'runs' | 'writeRun'>;
  share: { source: Pick<FleetSource, 'analyzers'> };
  log: Logger;
}): Promise<void> {
  const { link, rows, share, log } = of;
  const present = new Set((await share.source.analyzers()).analyzers.map(({ id }) => id));
  for (const [run, { recorder, outcome }] of rows.runs) {
    if (!recorder || outcome?.value.state !== 'finished') continue;
    const { before, told, analyzer } = recorder.value;
    const back = before.filter((id) => present.has(id) && id !== analyzer && !told.includes(id));
    const now: string[] = [];
    for (const id of back) {
      // One that is gone again is told at the next look.
      if (!(await tellFinished(link, { run, analyzer: id, log }))) continue;
      now.push(id);
      log.info({ run, analyzer: id }, 'the recording of an earlier part was found again');
    }
    if (now.length > 0) await rows.writeRun(run, 'recorder', { ...recorder.value, told: [...told, ...now] });
  }
}
