import { expect, it } from 'vitest';
import { createScoreStore } from '../../../../src/analyzer/state/score-store.ts';
import { createRowMemory } from '../../../../src/analyzer/ingest/row-memory.ts';
import type { GroupScore } from '../../../../src/analyzer/scoring/messages.ts';
import type { StepsFrame } from '../../../../src/protocol/stream/frames.ts';
import { createLog } from '../../../../src/process/log.ts';
import { plantedEpisodes } from '../../../fixtures/planted/planted-frames.ts';

/** A score store that was given a few episodes, with its log at level info. */
function storeOfOneRun(lines: object[] = [], written = Promise.resolve()) {
  const said: { group?: string; samples?: number; text: string }[] = [];
  const log = createLog('test');
  log.info = ((about: { group: string; samples: number }, text: string) =>
    said.push({ group: about.group, samples: about.samples, text })) as unknown as typeof log.info;
  const store = createScoreStore({
    clock: { nowMs: () => 1000, monotonicMs: () => 0, monotonicNs: () => 0n },
    log,
    scoreLog: {
      append: ({ group: { direction } }, { provisional }) => lines.push({ direction, provisional }),
      appendPart: (part, { provisional }) => lines.push({ type: part.type, provisional }),
      appendBranches: ({ type }, { provisional }) => lines.push({ type, provisional }),
      appendSteps: () => undefined,
      forget: () => undefined,
      written: () => written,
    },
    send: () => undefined,
    memory: createRowMemory(Infinity),
    releaseAfterMs: Infinity,
    readBack: () => {
      throw new Error('nothing was given back');
    },
    onScore: () => undefined,
  });
  const size = { scenarios: 2, episodesPerScenario: 1, turns: 4, layers: 1, dims: 2, textDims: 2 };
  const planted = plantedEpisodes({ run: 'r1', ...size, conditions: ['live'], coupling: 0.5, seed: 1 });
  for (const { streams } of planted)
    for (const [role, frames] of streams.entries())
      for (const message of frames)
        store.take({
          run: 'r1',
          origin: { stream: `s${role}`, epoch: 1, seq: message.seq },
          message,
          arrivedMs: 0,
        });
  return { store, said };
}

function emptyOf(group: GroupScore['group']): GroupScore {
  const score = { type: 'score', run: 'r1', group, version: 1, seed: 1, samples: 1, leftOut: 0 } as const;
  const none = { paper: null, strict: null, method: { name: 'strict', version: 2 }, replicates: null };
  return { ...score, ...none, reason: 'few', rows: {}, computedMs: 1 };
}

it('the score store logs once for each group that its first score is there, and nothing for an answer without a figure', () => {
  const { store, said } = storeOfOneRun();
  const [group] = [...store.state('r1')!.groups.values()].map((known) => known.group);
  const empty = emptyOf(group!);
  const numbers = { score: 0.2, unclipped: 0.2, nullMean: 0, samples: 2 };
  const paper = { ...numbers, pseudoMean: null };
  store.takeAnswer(empty);
  expect(said).toEqual([]);
  store.takeAnswer({ ...empty, version: 2, samples: 2, paper });
  store.takeAnswer({ ...empty, version: 3, samples: 3, paper });
  expect(said).toEqual([{ group: group!.key, samples: 2, text: 'first score of a group' }]);
});

it('the score store writes every score again as final once the run has ended and everything is scored', async () => {
  const lines: object[] = [];
  let write: () => void = () => undefined;
  const written = new Promise<void>((done) => (write = done));
  const { store, said } = storeOfOneRun(lines, written);
  const groups = [...store.state('r1')!.groups.values()];
  const paper = { score: 0.2, unclipped: 0.2, nullMean: 0, pseudoMean: null, samples: 2 };
  const [first, second] = groups.map(({ group, version }) => ({ ...emptyOf(group), version, paper }));
  store.takeAnswer(first!);
  store.end('r1');
  store.end('another');
  expect(lines).toEqual([{ direction: 'first_to_second', provisional: true }]);
  store.takeAnswer(second!);
  expect(lines.slice(1)).toEqual([
    { direction: 'second_to_first', provisional: true },
    { type: 'pair', provisional: true },
    { direction: 'first_to_second', provisional: false },
    { direction: 'second_to_first', provisional: false },
    { type: 'pair', provisional: false },
  ]);
  const isSaid = (): boolean => said.some(({ text }) => text === 'the scores of the run are final');
  await Promise.resolve();
  expect(isSaid(), 'before the lines are in the file').toBe(false);
  write();
  await written;
  expect(isSaid()).toBe(true);
  store.end('r1');
  expect(lines).toHaveLength(6);
});

it('the scores are not final while late steps have no figure', () => {
  const { store } = storeOfOneRun();
  for (const { group, version } of store.state('r1')!.groups.values())
    store.takeAnswer({ ...emptyOf(group), version });
  store.end('r1');
  expect(store.state('r1')?.phase).toBe('final');
  const place = { episode: 'e0001', turn: 3, seq: 99, tNs: 0 } as const;
  const states = { layers: [1], bytes: [[0, 1]], dtype: 'f32', data: new Uint8Array(8) };
  const message = {
    type: 'steps',
    role: 'listen',
    ...place,
    ...states,
    shape: [1, 1, 2],
  } as unknown as StepsFrame;
  store.take({ run: 'r1', origin: { stream: 's0', epoch: 1, seq: 99 }, message, arrivedMs: 0 });
  expect(store.state('r1')?.phase).toBe('ended');
  store.takeAnswer({ type: 'step-notice', takenBytes: 0, settled: { r1: 1 } });
  expect(store.state('r1')?.phase).toBe('final');
});
