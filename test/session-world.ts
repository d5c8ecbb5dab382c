/** Sender and receiver machines with a line between them that may lose, cut and delay; no sockets, no files, no time. */
import type { DataMessage, Hello, StreamMessage } from '../src/protocol/frames.ts';
import { createIntake } from '../src/transport/stream-intake.ts';
import {
  createOutbox,
  type HeldEpoch,
  type Outbox,
  type OutboxCommand,
} from '../src/transport/stream-outbox.ts';

export type Step =
  | 'append'
  | 'deliver'
  | 'answer'
  | 'sync'
  | 'lose-frame'
  | 'cut'
  | 'connect'
  | 'agent-dies'
  | 'analyzer-dies'
  | 'damage';

/** How often each step is taken, of 24. */
const WEIGHTS: Record<Step, number> = {
  append: 6,
  deliver: 6,
  answer: 4,
  sync: 1,
  'lose-frame': 1,
  cut: 1,
  connect: 1,
  'agent-dies': 1,
  'analyzer-dies': 2,
  damage: 1,
};

export const STEPS: Step[] = Object.entries(WEIGHTS).flatMap(([step, weight]) =>
  Array<Step>(weight).fill(step as Step),
);

export interface WorldFaults {
  /** Each switches one mechanism off, to show that the test sees it. */
  noDedup?: boolean;
  noResend?: boolean;
  trimUnacknowledged?: boolean;
  acknowledgeUnsynced?: boolean;
}

export const CREDITS = 85;
const FRAME_BYTES = 10;

export function createWorld(faults: WorldFaults = {}) {
  const spool = createSpool();
  const recorded: string[] = [];
  const written: { epoch: number; seq: number; label: string }[] = [];
  const durable = new Map<number, number>();
  const toAnalyzer: StreamMessage[] = [];
  const toAgent: StreamMessage[] = [];
  const sent: string[] = [];
  const damaged = new Set<string>();
  let intake = createIntake();
  let greeted = false;
  let nowMs = 0;
  let outbox: Outbox = createOutbox(spool);
  let online = false;

  const carryOut = (commands: OutboxCommand[]): void => {
    for (const command of commands) {
      if (command.do === 'hello')
        toAnalyzer.push({ type: 'hello', version: [1, 0], run: 'r', stream: 's', ...command });
      if (command.do === 'gap')
        toAnalyzer.push({
          type: 'gap',
          seq: command.to,
          from: command.from,
          to: command.to,
          reason: command.reason,
        });
      if (command.do === 'frame') {
        if (spool.sizeOf(command.epoch, command.seq) === 0) throw new Error('sent what it does not hold');
        toAnalyzer.push({ type: 'turn', seq: command.seq } as DataMessage);
      }
      if (command.do === 'trim') spool.trim(command.epoch, command.seq);
      if (command.do === 'conflict') throw new Error('epoch conflict');
    }
  };
  const cut = (): void => {
    online = false;
    toAnalyzer.length = 0;
    toAgent.length = 0;
    greeted = false;
    outbox.disconnected();
  };
  const syncAll = (): void => {
    for (const { epoch, seq, label } of written.splice(0)) {
      recorded.push(label);
      durable.set(epoch, seq);
    }
  };
  const take = (message: StreamMessage): void => {
    if (message.type === 'hello') return greet(message);
    if (!greeted) return;
    const data = message as DataMessage;
    const { verdict, resend } = intake.offer(data, (nowMs += 600));
    if (resend && !faults.noResend) toAgent.push(resend);
    const accepted =
      verdict === 'accept' ||
      (faults.noDedup && verdict === 'duplicate') ||
      (faults.noResend && verdict === 'hole');
    if (!accepted) return;
    for (let seq = data.type === 'gap' ? data.from : data.seq; seq <= data.seq; seq++)
      written.push({
        epoch: intake.epoch(),
        seq,
        label: `${intake.epoch()}/${seq}${data.type === 'gap' ? ' gap' : ''}`,
      });
    if (faults.acknowledgeUnsynced) toAgent.push({ type: 'ack', durableSeq: data.seq, credits: CREDITS });
  };
  const greet = (hello: Hello): void => {
    syncAll();
    const durableSeq = durable.get(hello.epoch) ?? -1;
    intake.greet(hello.epoch, durableSeq);
    greeted = true;
    toAgent.push({
      type: 'welcome',
      lastEpoch: Math.max(0, ...durable.keys()),
      durableSeq,
      credits: CREDITS,
    });
  };
  const hear = (message: StreamMessage): void => {
    if (message.type === 'welcome') carryOut(outbox.welcomed(message));
    if (message.type === 'ack') {
      if (faults.trimUnacknowledged) spool.trim(outbox.state().epoch, message.durableSeq + 2);
      carryOut(outbox.acknowledged(message));
    }
    if (message.type === 'resend') carryOut(outbox.resent(message));
  };
  const connect = (): void => {
    if (online) return;
    online = true;
    carryOut(outbox.connected());
  };

  const steps: Record<Step, () => void> = {
    append: () => {
      sent.push(spool.append());
      carryOut(outbox.appended());
    },
    deliver: () => {
      const message = toAnalyzer.shift();
      if (message) take(message);
    },
    answer: () => {
      const message = toAgent.shift();
      if (message) hear(message);
    },
    sync: () => {
      const last = written.at(-1);
      syncAll();
      if (last && greeted && last.epoch === intake.epoch())
        toAgent.push({ type: 'ack', durableSeq: last.seq, credits: CREDITS });
    },
    'lose-frame': () => {
      const at = toAnalyzer.findIndex((message) => message.type !== 'hello');
      if (at >= 0) toAnalyzer.splice(at, 1);
    },
    cut,
    connect,
    'agent-dies': () => {
      cut();
      spool.begin();
      outbox = createOutbox(spool);
    },
    'analyzer-dies': () => {
      cut();
      written.length = 0;
      intake = createIntake();
    },
    damage: () => {
      const label = spool.damage();
      if (label) damaged.add(label);
    },
  };

  return {
    step: (step: Step) => steps[step](),
    /** Lets everything that is under way come to its end. */
    settle: () => {
      for (let round = 0; round < 1000; round++) {
        connect();
        while (toAnalyzer.length > 0) steps.deliver();
        steps.sync();
        while (toAgent.length > 0) steps.answer();
        if (toAnalyzer.length === 0 && written.length === 0) {
          if (spool.epochs().length === 1 && outbox.state().acked === spool.lastSeq()) return true;
          // A frame lost at the very end leaves no hole to see: the line falls silent and is given up.
          cut();
        }
      }
      return false;
    },
    sent,
    damaged,
    recorded,
    inFlightBytes: () => outbox.state().inFlightBytes,
  };
}

/** A spool in memory. */
function createSpool() {
  const epochs = new Map<number, { firstSeq: number; frames: number[] }>([[1, { firstSeq: 0, frames: [] }]]);
  let current = 1;
  const lastOf = (epoch: { firstSeq: number; frames: number[] }): number =>
    epoch.firstSeq + epoch.frames.length - 1;
  return {
    epochs: (): HeldEpoch[] =>
      [...epochs]
        .filter(([epoch, { frames }]) => frames.length > 0 || epoch === current)
        .map(([epoch, held]) => ({ epoch, firstSeq: held.firstSeq, lastSeq: lastOf(held) })),
    sizeOf: (epoch: number, seq: number) => {
      const held = epochs.get(epoch);
      return held?.frames[seq - held.firstSeq] ?? 0;
    },
    append: () => {
      const held = epochs.get(current) as { firstSeq: number; frames: number[] };
      held.frames.push(FRAME_BYTES);
      return `${current}/${lastOf(held)}`;
    },
    trim: (epoch: number, seq: number) => {
      const held = epochs.get(epoch);
      if (!held) return;
      while (held.frames.length > 0 && held.firstSeq <= seq) {
        held.frames.shift();
        held.firstSeq += 1;
      }
      if (held.frames.length === 0 && epoch !== current) epochs.delete(epoch);
    },
    begin: () => {
      current += 1;
      epochs.set(current, { firstSeq: 0, frames: [] });
    },
    damage: () => {
      const held = epochs.get(current) as { firstSeq: number; frames: number[] };
      if (held.frames.length === 0) return undefined;
      held.frames[held.frames.length - 1] = 0;
      return `${current}/${lastOf(held)}`;
    },
    lastSeq: () => lastOf(epochs.get(current) as { firstSeq: number; frames: number[] }),
  };
}

/** What is wrong after this schedule, if anything. */
export function faultOf(steps: Step[], faults: WorldFaults = {}): string | undefined {
  const world = createWorld(faults);
  for (const step of steps) {
    world.step(step);
    if (world.inFlightBytes() > CREDITS) return 'more under way than the credits';
  }
  if (!world.settle()) return 'never drained';
  const frames = world.recorded.filter((label) => !label.endsWith('gap'));
  if (new Set(frames).size !== frames.length) return 'a frame twice';
  const there = new Set(frames);
  const gaps = new Set(world.recorded.map((label) => label.replace(' gap', '')));
  for (const label of world.sent) {
    if (there.has(label)) continue;
    if (!world.damaged.has(label)) return `frame ${label} lost`;
    if (!gaps.has(label)) return `frame ${label} lost without a gap record`;
  }
  return undefined;
}
