/**
 * A child that streams and keeps a ledger of its own: a line per frame, written only after the frame was accepted. Told by its
 * parent what to send and when to stop; may be killed at any moment.
 */
import { createHash } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { openSpool } from '../../src/journal/spool.ts';
import { systemClock } from '../../src/process/clock.ts';
import { packTensor } from '../../src/protocol/tensor.ts';
import { createStreamSender, type Frame } from '../../src/transport/stream-sender.ts';

export interface SenderOrder {
  url: string;
  run: string;
  /** Stream → token. */
  tokens: Record<string, string>;
  /** Spools and ledgers are kept here. */
  folder: string;
  valuesPerFrame: number;
  everyMs: number;
}

/** Answers `status`: of the first stream. */
export interface SenderState {
  connected: boolean;
  lastSeq: number;
  ackedSeq: number;
}

export interface SenderReport {
  drained: boolean;
  frames: number;
  maxRssBytes: number;
  connections: number;
}

const DRAIN_MS = 120_000;

process.once('message', (order: SenderOrder) => void work(order));
process.on('disconnect', () => process.exit(1));

async function work(order: SenderOrder): Promise<void> {
  const senders = await Promise.all(Object.keys(order.tokens).map((stream) => openStream(order, stream)));
  process.send?.('sending');
  let maxRssBytes = 0;
  let turn = 0;
  const timer = setInterval(() => {
    maxRssBytes = Math.max(maxRssBytes, process.memoryUsage.rss());
    turn += 1;
    for (const one of senders) one.send(turn);
  }, order.everyMs);
  process.on('message', (wanted) => {
    if (wanted === 'status') {
      process.send?.(senders[0]?.state() satisfies SenderState | undefined);
      return;
    }
    clearInterval(timer);
    void finish(senders).then((report) => process.send?.({ ...report, maxRssBytes } satisfies SenderReport));
  });
}

interface One {
  state(): SenderState;
  send(turn: number): void;
  finish(): Promise<{ drained: boolean; frames: number; connections: number }>;
}

async function openStream(order: SenderOrder, stream: string): Promise<One> {
  const log = pino({ level: 'silent' });
  const spool = await openSpool({ folder: join(order.folder, 'spool', stream), maxBytes: 2 ** 30, log });
  const token = (): string => order.tokens[stream] as string;
  const { run } = order;
  const url = (): string => order.url;
  const sender = await createStreamSender({ url, token, run, stream, spool, log, clock: systemClock });
  const ledger = openSync(join(order.folder, `${stream}.ledger`), 'a');
  let frames = 0;
  return {
    send: (turn) => {
      const frame = stepsFrame(turn, order.valuesPerFrame);
      const seq = sender.append(frame);
      frames += 1;
      const hash = createHash('sha256').update(frame.data).digest('hex');
      writeSync(ledger, `${stream} ${sender.epoch} ${seq} ${hash}\n`);
    },
    state: () => {
      const { connected, lastSeq, ackedSeq } = sender.status();
      return { connected, lastSeq, ackedSeq };
    },
    finish: async () => {
      const drained = await sender.drained(DRAIN_MS);
      const { connections } = sender.status();
      await sender.close();
      await spool.close();
      return { drained, frames, connections };
    },
  };
}

async function finish(senders: One[]): Promise<Omit<SenderReport, 'maxRssBytes'>> {
  const ends = await Promise.all(senders.map((one) => one.finish()));
  return {
    drained: ends.every(({ drained }) => drained),
    frames: ends.reduce((sum, { frames }) => sum + frames, 0),
    connections: ends.reduce((sum, { connections }) => sum + connections, 0),
  };
}

function stepsFrame(turn: number, values: number): Extract<Frame, { type: 'steps' }> {
  const { dtype, data, crc32 } = packTensor(Float32Array.from({ length: values }, Math.random), 'f16');
  return {
    type: 'steps',
    episode: 'e1',
    turn,
    step0: 0,
    role: 'speak',
    bytes: [[0, 1]],
    layers: [1],
    shape: [1, 1, values],
    dtype,
    tNs: turn,
    crc32,
    data,
  };
}
