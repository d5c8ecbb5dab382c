/** Metric samples of activation streams. */
import type { StreamFigures } from '../../transport/stream/receiver/incoming-stream.ts';
import type { Sample } from './report-gauge.ts';

export interface StreamMetric {
  name: string;
  help: string;
  labelNames: string[];
  kind: 'counter' | 'gauge';
  samples(stream: StreamFigures): Sample[];
}

const placeLabels = ({ run, stream }: Pick<StreamFigures, 'run' | 'stream'>): Record<string, string> => ({
  run,
  stream,
});

type Read = (stream: StreamFigures) => number | undefined;

const NS_PER_S = 1e9;

/** One value per stream; none if it is not known. */
function figure(about: Pick<StreamMetric, 'name' | 'help' | 'kind'>, read: Read): StreamMetric {
  return {
    ...about,
    labelNames: ['run', 'stream'],
    samples: (figures) => {
      const value = read(figures);
      return value === undefined ? [] : [{ labels: placeLabels(figures), value }];
    },
  };
}

const counter = (name: string, help: string, read: Read): StreamMetric =>
  figure({ name, help, kind: 'counter' }, read);
const gauge = (name: string, help: string, read: Read): StreamMetric =>
  figure({ name, help, kind: 'gauge' }, read);

export const STREAM_METRICS: readonly StreamMetric[] = [
  counter('entrain_frames_accepted_total', 'Frames that passed the checks.', (s) => s.acceptedFrames),
  counter('entrain_frames_durable_total', 'Frames synced to disk.', (s) => s.durableFrames),
  counter('entrain_duplicates_total', 'Frames that came a second time.', (s) => s.duplicateFrames),
  counter('entrain_resends_total', 'Times that lost frames were asked for again.', (s) => s.resends),
  {
    name: 'entrain_gap_frames_total',
    help: 'Frames that will never come.',
    kind: 'counter',
    labelNames: ['run', 'stream', 'reason'],
    samples: ({ gapFrames, ...figures }) =>
      Object.entries(gapFrames).map(([reason, value]) => ({
        labels: { ...placeLabels(figures), reason },
        value,
      })),
  },
  gauge('entrain_stream_up', 'Whether the agent is connected.', (s) => Number(s.connected)),
  gauge('entrain_ack_lag_seconds', 'Age of the oldest frame not yet durable.', (s) => s.ackLagMs / 1000),
  gauge(
    'entrain_clock_offset_seconds',
    'When the sender’s epoch began on this program’s monotonic clock: a difference of two origins, large or negative without any clock being wrong.',
    (s) => s.clock && s.clock.offsetNs / NS_PER_S,
  ),
  gauge(
    'entrain_clock_bound_seconds',
    'How far the clock offset may be off.',
    (s) => s.clock && s.clock.boundNs / NS_PER_S,
  ),
];
