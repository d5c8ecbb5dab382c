/** Whether a study fits on the disk, with a real analyzer's announcement over a real nats-server. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { announceAnalyzer } from '../../../src/analyzer/output/nats-service.ts';
import { readDisk } from '../../../src/analyzer/ingest/recordings.ts';
import { checkDisk } from '../../../src/coordinator/check-disk.ts';
import { expectedOf, expectedOfStudy } from '../../../src/protocol/recording-size.ts';
import { studySchema, type Study } from '../../../src/protocol/study.ts';
import type { NatsLink } from '../../../src/transport/nats/connection.ts';
import { createLog } from '../../../src/process/log.ts';
import { startNats, type NatsFixture } from '../../fixtures/programs/nats-fixture.ts';
import { silentLog, temporaryFolder } from '../../fixtures/stream/stream-fixture.ts';

/** A model of 7 billion parameters: 13 MB/s at 50 tokens/s, every layer, every step. */
const LARGE = { name: 'large', sha256: '', layers: 32, dims: 4096 };
const STREAM_URL = 'ws://127.0.0.1:1/stream';

let nats: NatsFixture;
let coordinator: NatsLink;
let demo: Study;
let runsFolder: string;
beforeAll(async () => {
  demo = {
    ...studySchema.parse(JSON.parse(await readFile('studies/demo.json', 'utf8'))),
    branches: null,
  };
  runsFolder = await temporaryFolder();
  nats = await startNats(['coordinator', 'analyzer']);
  coordinator = await nats.connect('coordinator');
});
afterAll(() => nats.close());

const everyStep = (
  study: Study,
  steps: { layers: number[] | null; every: number; control?: boolean },
): Study => ({
  ...study,
  steps: { control: false, ...steps },
});

describe('the upper bound of a recording', () => {
  it('is the published figure for a large model with every layer and step streamed', () => {
    const study = { ...everyStep(demo, { layers: null, every: 1 }), maxTokens: 4000 };
    const perSecond = expectedOf(study, 'ada', LARGE).hourBytes / 3600;
    expect(perSecond).toBeGreaterThan(13e6);
    expect(perSecond).toBeLessThan(15e6);
  });

  it('grows with layers, steps and episodes, and is per agent', () => {
    const bytes = (study: Study): number => expectedOf(study, 'ada', LARGE).studyBytes;
    const all = bytes(everyStep(demo, { layers: null, every: 1 }));
    expect(bytes(everyStep(demo, { layers: null, every: 10 }))).toBeLessThan(all / 5);
    expect(bytes(everyStep(demo, { layers: [32], every: 1 }))).toBeLessThan(all / 10);
    expect(bytes({ ...demo, episodes: demo.episodes * 3 })).toBe(bytes(demo) * 3);
    expect(expectedOf(demo, 'nobody', LARGE).studyBytes).toBe(0);
  });

  it('includes the steps of controls and the states of a third person', () => {
    const of = (study: Study): number => expectedOf(study, 'ada', LARGE).studyBytes;
    const steps = { layers: null, every: 1 };
    const [plain, off, on] = [
      of(demo),
      of(everyStep(demo, steps)),
      of(everyStep(demo, { ...steps, control: true })),
    ];
    expect(on - plain).toBe(2 * (off - plain));
    const [live, read] = (['live', 'paper-reader'] as const).map((one) => of({ ...demo, conditions: [one] }));
    const states = 4 * LARGE.layers * LARGE.dims * Math.ceil(demo.maxTurns / 2);
    expect((read ?? 0) - (live ?? 0)).toBe(states * demo.episodes * demo.scenarios.length);
  });

  it('includes the states of branches, and is unchanged without them', () => {
    const bytes = (branches: Study['branches']): number =>
      expectedOf({ ...demo, branches }, 'ada', LARGE).studyBytes;
    const turns = bytes(null);
    // One of two turns is spoken: 3 × 4 states of its versions beside the one of the turn, and 4 of the partner's
    // turn.
    const growth = bytes({ share: 1, alternatives: 3 }) / turns;
    expect(growth).toBeGreaterThan(16);
    expect(growth).toBeLessThan(20);
    expect(bytes({ share: 0.25, alternatives: 3 }) / turns).toBeGreaterThan(1 + 16 / 4);
  });

  it('counts a reader wherever one reads', () => {
    const study: Study = { ...demo, conditions: ['live', 'reader'], reader: 'cas' };
    const [speaker, reader] = ['ada', 'cas'].map((agent) => expectedOf(study, agent, LARGE).studyBytes);
    expect(reader).toBe((speaker as number) / 2);
    const models = new Map(['ada', 'ben', 'cas'].map((agent) => [agent, LARGE]));
    expect(expectedOfStudy(study, models).studyBytes).toBe(2.5 * (speaker as number));
  });
});

describe('a study before it begins', () => {
  const check = async (of: { maxRunBytes: number; freeBytes?: number; anySize?: boolean }): Promise<void> => {
    const { maxRunBytes, freeBytes, anySize = false } = of;
    const service = await announceAnalyzer(await nats.connect('analyzer'), {
      log: createLog('test').child({}, { level: 'silent' }),
      id: 'analyzer',
      version: '0.0.1',
      httpUrl: 'http://127.0.0.1:1',
      streamUrl: STREAM_URL,
      scores: () => undefined,
      disk: async () => ({
        ...(await readDisk({ runsFolder, maxRunBytes, roomBytes: Infinity })),
        ...(freeBytes === undefined ? {} : { freeBytes }),
      }),
      finished: async () => undefined,
    });
    const agents = new Map(['ada', 'ben'].map((id) => [id, { model: LARGE, instance: id, atOnce: 1 }]));
    const study = everyStep(demo, { layers: null, every: 1 });
    try {
      await checkDisk(coordinator, {
        study,
        fleet: { agents, analyzer: { id: 'analyzer', streamUrl: STREAM_URL } },
        anySize,
        log: silentLog,
      });
    } finally {
      await service.stop();
    }
  };

  it.each([
    ['the budget of a run', { maxRunBytes: 1e9, freeBytes: 1e15 }],
    ['the free space', { maxRunBytes: 1e15, freeBytes: 1e9 }],
  ])('is refused in one sentence if it exceeds %s', async (_, room) => {
    await expect(check(room)).rejects.toMatchObject({
      code: 'STUDY_TOO_LARGE',
      message: expect.stringMatching(
        /^The recording of study demo may take .* GB \(.* GB an hour\).*1\.00 GB.*--any-size\.$/,
      ) as unknown,
    });
    await expect(check({ ...room, anySize: true })).resolves.toBeUndefined();
  });

  it('begins if there is enough space', async () => {
    await expect(check({ maxRunBytes: 1e15, freeBytes: 1e15 })).resolves.toBeUndefined();
  });

  it('is compared with the space that is really free', async () => {
    const { freeBytes } = await readDisk({ runsFolder, maxRunBytes: 1, roomBytes: Infinity });
    expect(freeBytes).toBeGreaterThan(0);
    await expect(check({ maxRunBytes: 1 })).rejects.toThrow('may take');
    expect((await readDisk({ runsFolder, maxRunBytes: 9, roomBytes: 5 })).maxRunBytes).toBe(5);
  });
});
