/** The panels of how it runs: the conversation, the activation stream, the programs. */
import type { PanelOptions } from './panels.ts';

const RATE = '[$__rate_interval]';

/** The q-quantile of a histogram, by agent. */
const quantile = (q: number, metric: string): string =>
  `histogram_quantile(${q}, sum by (le, agent) (rate(${metric}_bucket${RATE})))`;

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
    lines: [{ expr: `sum(rate(entrain_agent_utterances_total${RATE}))`, legend: 'turns' }],
  },
  {
    title: 'Tokens per second',
    description: 'Tokens spoken by each agent.',
    unit: 'short',
    span: 8,
    lines: [{ expr: `sum by (agent) (rate(entrain_agent_tokens_total${RATE}))`, legend: '{{agent}}' }],
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
        expr: `sum by (run, stream) (rate(entrain_frames_accepted_total${RATE}))`,
        legend: 'accepted {{run}} {{stream}}',
      },
      {
        expr: `sum by (run, stream) (rate(entrain_frames_durable_total${RATE}))`,
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
      { expr: 'entrain_frames_accepted_total - entrain_frames_durable_total', legend: '{{run}} {{stream}}' },
    ],
  },
  {
    title: 'Acknowledgement lag',
    description: 'Age of the oldest frame that is not yet durable.',
    unit: 's',
    span: 12,
    lines: [
      { expr: 'entrain_ack_lag_seconds', legend: 'analyzer {{run}} {{stream}}' },
      { expr: 'entrain_agent_ack_lag_seconds', legend: 'agent {{run}} {{agent}}', dashed: true },
    ],
  },
  {
    title: 'Spool',
    description: 'Bytes that an agent holds until the analyzer has acknowledged them.',
    unit: 'bytes',
    span: 12,
    lines: [{ expr: 'entrain_agent_spool_bytes', legend: '{{run}} {{agent}}' }],
  },
  {
    title: 'Sent again',
    description: 'Frames that came twice, and times that lost ones were asked for. Neither loses anything.',
    unit: 'short',
    span: 12,
    lines: [
      { expr: 'entrain_duplicates_total', legend: 'twice {{run}} {{stream}}' },
      { expr: 'entrain_resends_total', legend: 'asked for {{run}} {{stream}}' },
    ],
  },
  {
    title: 'Bound of the clock offset',
    description: 'How far the measured offset between an agent’s clock and the analyzer’s may be off.',
    unit: 's',
    span: 12,
    lines: [{ expr: 'entrain_clock_bound_seconds', legend: '{{run}} {{stream}}' }],
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
    description: 'From the arrival of a turn to a published score that holds it.',
    unit: 's',
    span: 12,
    lines: [
      {
        expr: `histogram_quantile(0.95, sum by (le) (rate(entrain_score_latency_seconds_bucket${RATE})))`,
        legend: 'p95',
      },
    ],
  },
  {
    title: 'NATS connected',
    description: '1 while a program is connected.',
    unit: 'short',
    span: 12,
    lines: [{ expr: 'entrain_nats_up', legend: PROGRAM }],
  },
];
