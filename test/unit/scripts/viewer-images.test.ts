import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { IMAGES, telling, withThird } from '../../../scripts/lib/viewer-images.js';
import { studySchema } from '../../../src/protocol/study.ts';

const talkOf = (episode: string, moved: number, [turn, ...others]: [number, ...string[]]) => ({
  episode,
  words: [{ turn, text: 'Hi.', alternatives: others.map((text, at) => ({ k: at + 1, text })) }],
  effects: { effects: [{ turn, targetRole: 2, moved: { 0: moved } }] },
});

describe('the pictures of the viewer', () => {
  it('are all that stand in docs/images', () => {
    const files = readdirSync('docs/images').map((file) => file.replace(/\.png$/, ''));
    expect(IMAGES.map(({ name }) => name).toSorted()).toEqual(files.toSorted());
  });

  it('show the turn that moved its listener most, of those whose alternatives all differ', () => {
    const talks = [
      talkOf('e0001', 0.4, [0, 'No.', 'Yes.']),
      talkOf('e0002', 0.8, [0, 'No.', 'Yes.']),
      talkOf('e0003', 1.2, [0, 'No.', 'No.']),
      talkOf('e0004', 1.3, [0, 'Hi. ', 'No.']),
      talkOf('e0005', 1.4, [9, 'No.', 'Yes.']),
    ];
    expect(telling(talks)).toEqual({ episode: 'e0002', turn: 0, moved: 0.8 });
    expect(telling([talkOf('e0001', 0, [0, 'No.', 'Yes.'])])).toBeUndefined();
  });

  it('show three agents, each with a part of its own', () => {
    const demo = studySchema.parse(JSON.parse(readFileSync('studies/demo.json', 'utf8')));
    const { pairs, scenarios } = studySchema.parse(withThird(demo));
    expect(pairs).toEqual([['ada', 'ben', 'cas']]);
    for (const { people } of scenarios) expect(new Set(people.map(({ goal }) => goal)).size).toBe(3);
  });
});
