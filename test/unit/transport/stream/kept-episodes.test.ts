/** What an analyzer is sent that takes over in the middle: the roles under their numbers, then what is left. */
import { expect, it } from 'vitest';
import { keepEpisodes } from '../../../../src/transport/stream/sender/kept-episodes.ts';
import { createOutbox, type OutboxCommand } from '../../../../src/transport/stream/sender/outbox.ts';
import type { SenderSpool } from '../../../../src/transport/stream/sender/ports.ts';

/** A spool of epoch 1 whose frames before `first` were trimmed. */
function spoolFrom(first: number, last: number): SenderSpool {
  const has = (epoch: number, seq: number): boolean => epoch === 1 && seq >= first && seq <= last;
  return {
    lastEpoch: () => 1,
    begin: () => undefined,
    append: () => undefined,
    epochs: () => [{ epoch: 1, firstSeq: first, lastSeq: last }],
    sizeOf: (epoch, seq) => (has(epoch, seq) ? 10 : 0),
    read: (epoch, seq) => (has(epoch, seq) ? new Uint8Array(10) : undefined),
    trim: () => undefined,
    bytes: () => 0,
    fullness: () => 0,
    onStored: () => undefined,
  };
}

const shortly = (command: OutboxCommand): string =>
  command.do === 'gap'
    ? `${command.reason} ${command.from}-${command.to}`
    : command.do === 'frame'
      ? `frame ${command.seq}`
      : command.do;

it('sends kept episode frames again, and says which frames between them were acknowledged elsewhere', () => {
  const { spool, keep } = keepEpisodes(spoolFrom(6, 8));
  const bytes = new Uint8Array([1, 2, 3]);
  for (const seq of [0, 3]) keep(seq, bytes);
  // The sender's buffer is its own again.
  bytes.fill(9);
  expect(spool.read(1, 3)).toEqual(new Uint8Array([1, 2, 3]));
  const outbox = createOutbox(spool);
  outbox.connected();
  const commands = outbox.welcomed({
    type: 'welcome',
    version: [2, 0],
    hello: 1,
    durableSeq: -1,
    lastEpoch: 0,
    credits: 1000,
  } as never);
  expect(commands.map(shortly)).toEqual([
    'frame 0',
    'trimmed 1-2',
    'frame 3',
    'trimmed 4-5',
    'frame 6',
    'frame 7',
    'frame 8',
  ]);
});

it('sends nothing twice to the analyzer that has it', () => {
  const { spool, keep } = keepEpisodes(spoolFrom(6, 8));
  keep(0, new Uint8Array(3));
  const outbox = createOutbox(spool);
  outbox.connected();
  const welcome = { type: 'welcome', version: [2, 0], hello: 1, durableSeq: 6, lastEpoch: 1, credits: 1000 };
  expect(outbox.welcomed(welcome as never).map(shortly)).toEqual(['trim', 'frame 7', 'frame 8']);
});
