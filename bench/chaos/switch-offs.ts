/**
 * For every scenario the mechanism that keeps its promise, as the line of a source file that is it and what stands there when it is
 * switched off. `npm run chaos -- --off` makes such a program beside the real one: a scenario that still passes then shows nothing.
 */
export interface Change {
  /** In `src`, without the ending. Compiled or not, the line is the same. */
  file: string;
  from: string;
  to: string;
}

export interface SwitchOff {
  /** What is no longer done. */
  what: string;
  changes: Change[];
}

const SILENT = { file: 'transport/stream-socket', from: 'const SILENCE_MS = 6500;' };

export const SWITCH_OFFS: Readonly<Record<string, SwitchOff>> = {
  'analyzer-killed': {
    what: 'a sender goes on behind what is durable',
    changes: [
      {
        file: 'transport/stream-connection',
        from: 'const durableSeq = seat.sink.durableSeq(hello.epoch);',
        to: 'const durableSeq = hello.lastSeq;',
      },
    ],
  },
  'agents-killed': {
    what: 'the spool of an earlier life is read',
    changes: [
      {
        file: 'journal/spool',
        from: 'segments: names.map((name) => recoverSpoolSegment(settings, name)),',
        to: 'segments: [],',
      },
    ],
  },
  'nats-killed': {
    what: 'a turn is stored only where none is',
    changes: [
      {
        file: 'transport/nats-streams',
        from: '{ expect: { lastSubjectSequence: 0 } }',
        to: '{}',
      },
    ],
  },
  'coordinator-killed': {
    what: 'the run’s stream is read from its beginning',
    changes: [
      {
        file: 'coordinator/run-consumer',
        from: '{ stream, name: CONSUMER, filter }',
        to: "{ stream, name: CONSUMER, filter, from: 'now' }",
      },
    ],
  },
  'bad-line': {
    what: 'a hole is asked for again',
    changes: [
      { file: 'transport/stream-outbox', from: 'rewind(state, state.acked + 1);', to: '' },
      { file: 'transport/stream-outbox', from: 'rewind(state, 0);', to: 'state.inFlight = [];' },
    ],
  },
  'black-hole': {
    what: 'a silent line is given up',
    changes: [
      { ...SILENT, to: 'const SILENCE_MS = 600_000;' },
      {
        file: 'transport/stream-connection',
        from: 'const SILENCE_MS = 9000;',
        to: 'const SILENCE_MS = 600_000;',
      },
    ],
  },
  'link-cut': {
    what: 'a silent line is given up',
    changes: [{ ...SILENT, to: 'const SILENCE_MS = 600_000;' }],
  },
  'analyzer-frozen': {
    what: 'credits limit what is under way, and a silent line is given up',
    changes: [
      { ...SILENT, to: 'const SILENCE_MS = 600_000;' },
      {
        file: 'transport/stream-outbox',
        from: 'state.inFlightBytes + bytes > state.credits',
        to: 'false',
      },
    ],
  },
  'recording-disk-full': {
    what: 'a batch waits until the disk takes it',
    changes: [{ file: 'journal/stream-recording', from: 'await delay(RETRY_MS);', to: 'return;' }],
  },
  'spool-disk-full': {
    what: 'frames wait in memory for room',
    changes: [
      {
        file: 'journal/spool',
        from: 'state.waiting.push({ ...frame, message: new Uint8Array(frame.message) });',
        to: 'return;',
      },
    ],
  },
  'decoder-fuzzed': {
    what: 'the bytes are scanned before they are decoded',
    changes: [{ file: 'protocol/codec', from: 'scanMessage(bytes);', to: '' }],
  },
  'hostile-clients': {
    what: 'a stream has few connections, and who says no hello goes',
    changes: [
      { file: 'transport/stream-registry', from: 'helloMs: 5000,', to: 'helloMs: 600_000,' },
      {
        file: 'transport/stream-registry',
        from: 'connectionsPerStream: 3,',
        to: 'connectionsPerStream: 1000,',
      },
    ],
  },
  'recording-damaged': {
    what: 'a record is held against its checksum',
    changes: [
      {
        file: 'journal/segment',
        from: 'return crc32(bytes.subarray(offset, offset + length)) === bytes.readUInt32LE(at + 4) ? length : undefined;',
        to: 'return length;',
      },
    ],
  },
  'power-lost': {
    what: 'a batch is synced before it is acknowledged',
    changes: [{ file: 'journal/stream-recording', from: 'await open.file.sync();', to: '' }],
  },
  schedules: {
    what: 'a frame that is known is not taken again',
    changes: [
      {
        file: 'transport/stream-intake',
        from: "return { verdict: 'duplicate' };",
        to: "return { verdict: 'accept' };",
      },
    ],
  },
};
