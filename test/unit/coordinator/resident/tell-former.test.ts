/** Which analyzers of earlier parts are told that a run is over, over a real nats-server, and how often. */
import { headers } from 'nats';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RunRows } from '../../../../src/coordinator/resident/service-rows.ts';
import { tellFormer } from '../../../../src/coordinator/resident/tell-former.ts';
import type { RecorderRow } from '../../../../src/protocol/events/recorded.ts';
import { studySchema } from '../../../../src/protocol/study.ts';
import { subjects } from '../../../../src/protocol/subjects.ts';
import type { NatsLink } from '../../../../src/transport/nats/connection.ts';
import { ANY_RUN } from '../../../../src/transport/nats/permissions.ts';
import { startNats, type NatsFixture } from '../../../fixtures/programs/nats-fixture.ts';

const log = pino({ level: 'silent' });
const by = { role: 'operator', name: 'o' } as const;
const study = studySchema.parse({
  name: 's',
  pairs: [['a', 'b']],
  scenarios: [{ id: 'x', text: '', people: [{}, {}] }],
});
const written = <T>(value: T) => ({ value, revision: 1 });

/** A run that analyzer `two` has at last, after those of `before`. */
const runOf = (state: 'finished' | 'failed' | undefined, before: string[], analyzer = 'two'): RunRows => ({
  submission: written({ run: 'r', study, by, priority: 0, atMs: 0 }),
  recorder: written({ analyzer, streamUrl: 'ws://x', before, told: [] }),
  ...(state ? { outcome: written({ state, finished: 1, all: 1, atMs: 0 }) } : {}),
});

let nats: NatsFixture;
let link: NatsLink;
let asked: string[];
let runs: Map<string, RunRows>;
let isRefusing: boolean;
beforeEach(async () => {
  nats = await startNats(['coordinator', 'analyzer'], { runs: [ANY_RUN] });
  link = await nats.connect('coordinator');
  asked = [];
  isRefusing = false;
  const analyzer = await nats.connect('analyzer');
  analyzer.connection.subscribe(subjects.analyzerFinished('*'), {
    callback: (_, message) => {
      const { run } = JSON.parse(message.string()) as { run: string };
      asked.push(`${message.subject.split('.').at(-2)} ${run}`);
      if (isRefusing) message.respond('', { headers: refusal() });
      else message.respond('{}');
    },
  });
  await analyzer.connection.flush();
});
afterEach(() => nats.close());

/** A service's answer that is an error. */
function refusal() {
  const named = headers();
  named.set('Nats-Service-Error', 'not now');
  named.set('Nats-Service-Error-Code', '400');
  return named;
}

const tell = (present: string[]) =>
  tellFormer({
    link,
    rows: {
      runs,
      writeRun: (run, kind, value) => {
        const row = runs.get(run);
        if (row) runs.set(run, { ...row, [kind]: written(value) });
        return Promise.resolve();
      },
    },
    share: {
      source: {
        analyzers: () =>
          Promise.resolve({
            analyzers: present.map((id) => ({ id, streamUrl: 'ws://x' })),
            strangers: new Map(),
          }),
      },
    },
    log,
  });
const toldOf = (run: string): RecorderRow['told'] | undefined => runs.get(run)?.recorder?.value.told;

it('tells those that are back of each run that finished, and each of them once', async () => {
  runs = new Map([
    ['moved', runOf('finished', ['one', 'three'])],
    ['open', runOf(undefined, ['one'])],
    ['failed', runOf('failed', ['one'])],
    ['back', runOf('finished', ['one'], 'one')],
    ['unmoved', runOf('finished', [])],
  ]);
  await tell(['one', 'two']);
  expect(asked).toEqual(['one moved']);
  await tell(['one', 'two']);
  expect(asked).toEqual(['one moved']);
  await tell(['three']);
  expect(asked).toEqual(['one moved', 'three moved']);
  expect(toldOf('moved')).toEqual(['one', 'three']);
});

it('asks one that refused again', async () => {
  runs = new Map([['moved', runOf('finished', ['one'])]]);
  isRefusing = true;
  await tell(['one']);
  expect(toldOf('moved')).toEqual([]);
  isRefusing = false;
  await tell(['one']);
  expect(toldOf('moved')).toEqual(['one']);
});
