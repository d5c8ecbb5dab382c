import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import {
  createEpisodeIndex,
  rowsOf,
  type IndexChange,
  type EpisodeIndex,
} from '../../../../src/analyzer/ingest/episode-index.ts';
import type { EpisodeFrame } from '../../../../src/protocol/stream/frames.ts';

const model = (name: string) => ({ name, sha256: `${name}-hash`, layers: 2, dims: 4 });

function episodeFrame(episode: string, order = ['ada', 'ben']): EpisodeFrame {
  return {
    type: 'episode',
    seq: 0,
    run: 'r1',
    episode,
    scenario: 's1',
    pair: order.join('-'),
    condition: 'live',
    seed: 1,
    order,
    role: 0,
    models: order.map((agent) => model(`m-${agent}`)),
  };
}

const turnOf = (turn: number, origin = { stream: 'x', epoch: 1, seq: turn }, seating = 0) => ({
  turn,
  seating,
  origin,
  payload: `${origin.stream}/${origin.epoch}/${origin.seq}`,
});

const arrows = (change: IndexChange) =>
  change.added.map((row) => `${row.sourceTurn}→${row.targetTurn} ${row.group.direction}`);

const allRows = (index: EpisodeIndex<string>) =>
  [...index.episodes()]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap(rowsOf)
    .map((row) => `${row.episode} ${row.sourceTurn}→${row.targetTurn} ${row.group.key}`);

describe('the episode index', () => {
  it('pairs each turn with the next one, in both directions', () => {
    const index = createEpisodeIndex<string>();
    index.addEpisode(episodeFrame('e1'));
    expect(arrows(index.addTurn('e1', turnOf(0)))).toEqual([]);
    expect(arrows(index.addTurn('e1', turnOf(1)))).toEqual(['0→1 first_to_second']);
    expect(arrows(index.addTurn('e1', turnOf(2)))).toEqual(['1→2 second_to_first']);
  });

  it('leaves out the rows of a missing turn, and adds them when it arrives', () => {
    const index = createEpisodeIndex<string>();
    index.addEpisode(episodeFrame('e1'));
    index.addTurn('e1', turnOf(0));
    expect(arrows(index.addTurn('e1', turnOf(2)))).toEqual([]);
    expect(arrows(index.addTurn('e1', turnOf(1)))).toEqual(['0→1 first_to_second', '1→2 second_to_first']);
  });

  it('keeps turns of an episode that it does not know yet', () => {
    const index = createEpisodeIndex<string>();
    expect(arrows(index.addTurn('e1', turnOf(1)))).toEqual([]);
    expect(arrows(index.addTurn('e1', turnOf(0)))).toEqual([]);
    expect(arrows(index.addEpisode(episodeFrame('e1')))).toEqual(['0→1 first_to_second']);
    expect(arrows(index.addEpisode(episodeFrame('e1')))).toEqual([]);
  });

  it('counts a duplicate once, and lets a later epoch replace a turn', () => {
    const index = createEpisodeIndex<string>();
    index.addEpisode(episodeFrame('e1'));
    index.addTurn('e1', turnOf(0));
    index.addTurn('e1', turnOf(1));
    expect(index.addTurn('e1', turnOf(1))).toEqual({ added: [], replaced: [] });
    const replaced = index.addTurn('e1', turnOf(1, { stream: 'x', epoch: 2, seq: 0 }));
    expect([replaced.added.length, replaced.replaced.length]).toEqual([0, 1]);
    expect(index.addTurn('e1', turnOf(1)).replaced).toEqual([]);
    expect(index.episode('e1')?.turns.get(1)?.payload).toBe('x/2/0');
  });

  it('lets the turn of the agent that took the role over count, whatever its epoch, name and order of arrival', () => {
    const dead = turnOf(1, { stream: 'x', epoch: 9, seq: 4 });
    const replacement = turnOf(1, { stream: 'a', epoch: 1, seq: 1 }, 1);
    for (const order of [
      [dead, replacement],
      [replacement, dead],
    ]) {
      const index = createEpisodeIndex<string>();
      index.addEpisode(episodeFrame('e1'));
      for (const turn of order) index.addTurn('e1', turn);
      expect(index.episode('e1')?.turns.get(1)?.payload).toBe('a/1/1');
    }
  });

  it('makes every ordered pair of three agents, each with its next turn', () => {
    const index = createEpisodeIndex<string>();
    index.addEpisode(episodeFrame('e1', ['ada', 'ben', 'cyd']));
    for (let turn = 0; turn < 4; turn += 1) index.addTurn('e1', turnOf(turn));
    const rows = rowsOf(index.episode('e1')!);
    expect(rows.map((row) => `${row.sourceTurn}→${row.targetTurn}`)).toEqual([
      '0→1',
      '0→2',
      '1→2',
      '1→3',
      '2→3',
    ]);
    expect(new Set(rows.map((row) => row.group.key)).size).toBe(5);
  });

  it('keeps ordered pairs of roles apart, also where all have the same model', () => {
    const index = createEpisodeIndex<string>();
    const frame = episodeFrame('e1', ['ada', 'ben', 'cyd']);
    index.addEpisode({ ...frame, models: frame.models.map(() => frame.models[0]!) });
    for (let turn = 0; turn < 9; turn += 1) index.addTurn('e1', turnOf(turn));
    const groups = new Map(rowsOf(index.episode('e1')!).map(({ group }) => [group.key, group]));
    const pairs = [...groups.values()].map(({ sourceRole, targetRole }) => `${sourceRole}>${targetRole}`);
    expect(pairs.toSorted()).toEqual(['1>2', '1>3', '2>1', '2>3', '3>1', '3>2']);
    expect([...groups.values()].every(({ agents }) => agents === 3)).toBe(true);
  });

  it('gives the same rows in whatever order frames arrive', () => {
    const arrivals = [
      { episode: 'e1', turns: 5 },
      { episode: 'e2', turns: 3 },
    ].flatMap(({ episode, turns }) => [
      { episode, turn: -1 },
      ...Array.from({ length: turns }, (_, turn) => ({ episode, turn })),
    ]);
    const fill = (order: typeof arrivals) => {
      const index = createEpisodeIndex<string>();
      let added = 0;
      for (const { episode, turn } of order)
        added += (turn < 0 ? index.addEpisode(episodeFrame(episode)) : index.addTurn(episode, turnOf(turn)))
          .added.length;
      return { rows: allRows(index), added };
    };
    const inOrder = fill(arrivals);
    expect(inOrder.rows).toHaveLength(6);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(arrivals, { minLength: arrivals.length, maxLength: arrivals.length }),
        (order) => {
          expect(fill(order)).toEqual(inOrder);
        },
      ),
    );
  });
});
