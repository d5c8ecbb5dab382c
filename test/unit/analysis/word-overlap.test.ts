/** How much replies take up the words before them, beyond what other episodes of the scenario give. */
import { describe, expect, it } from 'vitest';
import { wordOverlaps } from '../../../src/analysis/word-overlap.ts';
import type { TalkEpisode } from '../../../src/process/run-folder/read-talk.ts';

function episode(id: string, texts: string[], scenario = 's'): TalkEpisode {
  const order = ['ada', 'ben'];
  const turns = texts.map((text, turn) => {
    const agent = order[turn % 2] as string;
    return {
      episode: id,
      turn,
      agent,
      text,
      finish: 'stop',
      tokens: 1,
      droppedTurns: 0,
      stream: agent,
      epoch: 1,
      lastSeq: turn,
    };
  });
  return { id, scenario, condition: 'live', order, seed: 1, startedAtMs: 1, turns } as TalkEpisode;
}

const overlaps = (episodes: TalkEpisode[]) =>
  wordOverlaps(episodes, ({ scenario }) => scenario).map(({ episode: { id }, source, target, value }) => [
    id,
    source,
    target,
    Number(value.toFixed(6)),
  ]);

describe('word overlap', () => {
  it('is the share of a reply’s distinct words that its partner just said, minus that of other episodes', () => {
    // "red fox" repeats both words of e1's opener, and one of e2's.
    expect(
      overlaps([episode('e1', ['A red fox!', 'Red, red fox']), episode('e2', ['The red car', 'my cat'])]),
    ).toEqual([
      ['e1', 'ada', 'ben', 0.5],
      ['e2', 'ada', 'ben', 0],
    ]);
  });

  it('is 0 where replies take up what every episode of the scenario says', () => {
    const same = ['buy bread', 'bread is dear'];
    expect(overlaps([episode('e1', same), episode('e2', same)])).toEqual([
      ['e1', 'ada', 'ben', 0],
      ['e2', 'ada', 'ben', 0],
    ]);
  });

  it('compares episodes of one scenario alone, and has no figure for an only one, nor for empty utterances', () => {
    expect(overlaps([episode('e1', ['a b', 'a']), episode('e2', ['a b', 'a'], 'other')])).toEqual([]);
    const found = overlaps([episode('e1', ['', 'a', 'a']), episode('e2', ['a', '', 'b'])]);
    expect(found).toEqual([]);
  });

  it('takes each reply to the turn before it, in both directions', () => {
    const found = overlaps([episode('e1', ['a', 'b', 'b']), episode('e2', ['x', 'y', 'z'])]);
    expect(found).toEqual([
      ['e1', 'ada', 'ben', 0],
      ['e1', 'ben', 'ada', 1],
      ['e2', 'ada', 'ben', 0],
      ['e2', 'ben', 'ada', 0],
    ]);
  });
});
