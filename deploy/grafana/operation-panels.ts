/** The panels of how it runs: the conversation, the agents, the activation stream, the programs, NATS. */
import type { PanelOptions } from './panels.ts';

const RATE = '[$__rate_interval]';

/** The q-quantile of a histogram, by agent. */
const quantile = (q: number, metric: string): string =>
  `histogram_quantile(${q}, sum by (le, agent) (rate(${metric}_bucket{agent=~"$agent"}${RATE})))`;

export const CONVERSATION: readonly PanelOptions[] = [
  {
    title: 'Episodes by state',
    description: 'Of the study that runs.',
    unit: 'short',
    span: 12,
    lines: [{ expr: 'sum by (state) (entrain_run_episodes)', legend: '{{state}}' }],
  },
  {
    title: 'Turns per second',
    description: 'Utterances spoken, all episodes together.',
    unit: 'short',
    span: 12,
    lines: [{ expr: `sum(rate(entrain_agent_utterances_total{agent=~"$agent"}${RATE}))`, legend: 'turns' }],
  },
  {
    title: 'Tokens per second',
    description: 'Tokens spoken by each agent.',
    unit: 'short',
    span: 8,
    lines: [
      {
        expr: `sum by (agent) (rate(entrain_agent_tokens_total{agent=~"$agent"}${RATE}))`,
        legend: '{{agent}}',
      },
    ],
  },
  {
    title: 'Time to the first token',
    description: 'From taking the turn to the first token of the reply.',
    unit: 's',
    span: 8,
    lines: [
      { expr: quantile(0.5, 'entrain_agent_first_token_seconds'), legend: '{{agent}} median' },
      { expr: quantile(0.95, 'entrain_agent_first_token_seconds'), legend: '{{agent}} p95', dashed: true },
    ],
  },
  {
    title: 'Time of one token',
    description: 'Mean over an utterance.',
    unit: 's',
    span: 8,
    lines: [
      { expr: quantile(0.5, 'entrain_agent_step_seconds'), legend: '{{agent}} median' },
      { expr: quantile(0.95, 'entrain_agent_step_seconds'), legend: '{{agent}} p95', dashed: true },
    ],
  },
];

export const STREAM: readonly PanelOptions[] = [
  {
    title: 'Frames per second',
    description: 'Accepted by the analyzer, and synced to its disk.',
    unit: 'short',
    span: 12,
    lines: [
      {
        expr: `sum by (run, stream) (rate(entrain_frames_accepted_total{run=~"$run"}${RATE}))`,
        legend: 'accepted {{run}} {{stream}}',
      },
      {
        expr: `sum by (run, stream) (rate(entrain_frames_durable_total{run=~"$run"}${RATE}))`,
        legend: 'durable {{run}} {{stream}}',
        dashed: true,
      },
    ],
  },
  {
    title: 'Frames accepted and not yet durable',
    description: 'Returns to 0 whenever the agents pause.',
    unit: 'short',
    span: 12,
    lines: [
      {
        expr: 'entrain_frames_accepted_total{run=~"$run"} - entrain_frames_durable_total',
        legend: '{{run}} {{stream}}',
      },
    ],
  },
  {
    title: 'Acknowledgement lag',
    description: 'Age of the oldest frame that is not yet durable.',
    unit: 's',
    span: 12,
    lines: [
      { expr: 'entrain_ack_lag_seconds{run=~"$run"}', legend: 'analyzer {{run}} {{stream}}' },
      { expr: 'entrain_agent_ack_lag_seconds{run=~"$run"}', legend: 'agent {{run}} {{agent}}', dashed: true },
    ],
  },
  {
    title: 'Spool',
    description: 'Bytes that an agent holds until the analyzer has acknowledged them.',
    unit: 'bytes',
    span: 12,
    lines: [{ expr: 'entrain_agent_spool_bytes{run=~"$run"}', legend: '{{run}} {{agent}}' }],
  },
  {
    title: 'Sent again',
    description: 'Frames that came twice, and times that lost ones were asked for. Neither loses anything.',
    unit: 'short',
    span: 12,
    lines: [
      { expr: 'entrain_duplicates_total{run=~"$run"}', legend: 'twice {{run}} {{stream}}' },
      { expr: 'entrain_resends_total{run=~"$run"}', legend: 'asked for {{run}} {{stream}}' },
    ],
  },
  {
    title: 'Bound of the clock offset',
    description: 'How far the measured offset between an agent’s clock and the analyzer’s may be off.',
    unit: 's',
    span: 12,
    lines: [{ expr: 'entrain_clock_bound_seconds{run=~"$run"}', legend: '{{run}} {{stream}}' }],
  },
];

const PROGRAM = '{{program}} {{agent}}';

export const PROCESSES: readonly PanelOptions[] = [
  {
    title: 'Resident memory',
    description: 'Of each program.',
    unit: 'bytes',
    span: 8,
    lines: [{ expr: 'process_resident_memory_bytes{program!=""}', legend: PROGRAM }],
  },
  {
    title: 'Processor time',
    description: 'Seconds of processor time per second.',
    unit: 'short',
    span: 8,
    lines: [{ expr: `rate(process_cpu_seconds_total{program!=""}${RATE})`, legend: PROGRAM }],
  },
  {
    title: 'Event loop lag',
    description: 'The 99th percentile of how late timers fire.',
    unit: 's',
    span: 8,
    lines: [{ expr: 'nodejs_eventloop_lag_p99_seconds{program!=""}', legend: PROGRAM }],
  },
  {
    title: 'Time to a fresh score',
    description:
      'From the arrival of a turn to a published score that holds it. A point is a single score and leads to its run in the viewer.',
    unit: 's',
    span: 12,
    lines: [
      {
        expr: `histogram_quantile(0.95, sum by (le) (rate(entrain_score_latency_seconds_bucket${RATE})))`,
        legend: 'p95',
        exemplars: true,
      },
    ],
  },
];

export const FLEET: readonly PanelOptions[] = [
  {
    title: 'Stream to the analyzer',
    description: '1 while an agent has its activation stream.',
    unit: 'short',
    span: 8,
    lines: [{ expr: 'entrain_agent_stream_up{agent=~"$agent"}', legend: '{{run}} {{agent}}' }],
  },
  {
    title: 'Heard',
    description: 'Tokens and turns of others that an agent read, by how it came to them.',
    unit: 'short',
    span: 8,
    lines: [
      {
        expr: `sum by (agent) (rate(entrain_agent_heard_total{agent=~"$agent"}${RATE}))`,
        legend: '{{agent}}',
      },
    ],
  },
  {
    title: 'Turns dropped from contexts',
    description: 'The oldest turns, where a context was full.',
    unit: 'short',
    span: 8,
    lines: [{ expr: 'entrain_agent_dropped_turns_total{agent=~"$agent"}', legend: '{{agent}}' }],
  },
];

export const BROKER: readonly PanelOptions[] = [
  {
    title: 'NATS connected',
    description: '1 while a program is connected.',
    unit: 'short',
    span: 12,
    lines: [{ expr: 'entrain_nats_up', legend: PROGRAM }],
  },
  {
    title: 'Round trip',
    description: 'From the coordinator to its NATS server and back.',
    unit: 's',
    span: 12,
    lines: [{ expr: 'entrain_nats_round_trip_seconds', legend: '{{instance}}' }],
  },
  {
    title: 'Store',
    description: 'What streams and buckets take on the disks of NATS.',
    unit: 'bytes',
    span: 8,
    lines: [{ expr: 'entrain_nats_store_bytes', legend: '{{instance}}' }],
  },
  {
    title: 'Streams and consumers',
    description: 'Of all runs whose streams are kept, buckets included.',
    unit: 'short',
    span: 8,
    lines: [
      { expr: 'entrain_nats_streams', legend: 'streams' },
      { expr: 'entrain_nats_consumers', legend: 'consumers', dashed: true },
    ],
  },
  {
    title: 'Messages per second',
    description: 'Between the coordinator and NATS.',
    unit: 'short',
    span: 8,
    lines: [{ expr: `rate(entrain_nats_messages${RATE})`, legend: '{{direction}}' }],
  },
];
