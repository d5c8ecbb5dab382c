/**
 * The present protocol against what an earlier package of the same major version made and took, as
 * scripts/record-older.js recorded it: its frames are read and written byte for byte, its subjects are the same, and it
 * took the messages that are sent now.
 */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import {
  askPromptsSchema,
  assignmentSchema,
  diskSchema,
  finishedSchema,
  promptTokensSchema,
  releaseSchema,
} from '../../../src/protocol/nats-messages.ts';
import { decodeMessage, encodeMessage } from '../../../src/protocol/stream/codec.ts';
import { subjects } from '../../../src/protocol/subjects.ts';
import { announcedMajor, PROTOCOL_VERSION } from '../../../src/protocol/version.ts';
import { SAMPLES } from '../../fixtures/older/samples.ts';

interface Recorded {
  commit: string;
  version: string;
  subjects: Record<string, string>;
  messages: Record<string, unknown>;
  frames: string[];
}

const older = JSON.parse(await readFile('test/fixtures/older/recorded.json', 'utf8')) as Recorded;
const known = {
  subjects: subjects as Record<string, unknown>,
  schemas: {
    askPromptsSchema,
    assignmentSchema,
    diskSchema,
    finishedSchema,
    promptTokensSchema,
    releaseSchema,
  } satisfies Record<keyof typeof SAMPLES, unknown>,
};

describe('the package as it stood earlier', () => {
  it('speaks the same major version of the protocol', () => {
    expect(announcedMajor(older.version)).toBe(PROTOCOL_VERSION.major);
  });

  it('makes frames that are read now, and takes those that are made now, byte for byte', () => {
    const types = new Set<string>();
    for (const text of older.frames) {
      const bytes = Buffer.from(text, 'base64');
      const message = decodeMessage(bytes);
      types.add(message.type);
      expect(Buffer.from(encodeMessage(message)).equals(bytes), message.type).toBe(true);
    }
    // What one side sends alone is among them: hello, states and bye of senders, welcome and ack of analyzers.
    const all = 'ack branch bye clock episode gap hello opening steps turn welcome';
    expect([...types].toSorted().join(' ')).toBe(all);
  });

  it('listens and speaks on the same subjects', () => {
    for (const [name, subject] of Object.entries(older.subjects))
      expect((known.subjects[name] as (...names: string[]) => string)('a', 'b', 'c'), name).toEqual(subject);
  });

  it('took the requests and answers that are sent now', () => {
    expect(older.messages).toEqual(SAMPLES);
    for (const [name, message] of Object.entries(SAMPLES)) {
      const schema = known.schemas[name as keyof typeof SAMPLES];
      expect(schema.parse(message), name).toEqual(message);
      expect(Object.keys(message).toSorted(), name).toEqual(Object.keys(schema.shape).toSorted());
    }
  });
});
