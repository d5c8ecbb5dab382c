/**
 * The histories of one group, in order of arrival, ready for the figures of branches. Over the cap it is a hash of the
 * episode's name that says which ones stay.
 */
import { zeros } from '../../numeric/matrix.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import type { Branches } from '../../synchrony/branches/histories.ts';
import type { ExchangeRows } from '../../synchrony/branches/interchange.ts';
import type { PatchRows } from '../../synchrony/branches/patching.ts';
import type { Group } from '../ingest/episode-index.ts';
import { episodesUnderCap, labelOf } from '../ingest/row-cap.ts';
import { patchName, type OwnedAlternative, type OwnedHistory, type PatchKey } from './branch-index.ts';
import { layerOfBranch, shapeOfBranch, statesOf, textOf, type SharedBranch } from './branch-numbers.ts';

export interface GroupHistories {
  group: Group;
  /** How many changes of them there have been. */
  version: number;
  /** By `historyId`, in order of first arrival. */
  histories: Map<string, OwnedHistory>;
}

/** Branches that a group may hold: at 12 layers × 768 dims in float64 about 250 kB each while they are scored. */
export const MAX_BRANCHES = 2000;

export const historyId = ({
  episode,
  turn,
  patch,
}: Pick<OwnedHistory, 'episode' | 'turn' | 'patch'>): string =>
  patch ? `${episode} ${turn} ${patchName(patch)}` : `${episode} ${turn}`;

/** What figures are computed over. */
export interface BranchSelection {
  /** By `historyId`, in order of arrival. */
  histories: OwnedHistory[];
  rows: number;
  /** Layer numbers of both sides. */
  layers: { source: number[]; target: number[] };
  seed: number | undefined;
}

/** Which episodes of a group stay under the cap: that of other words, and of each layer and size of a moved state. */
export function keptBranchEpisodes(histories: Iterable<OwnedHistory>, maxRows = MAX_BRANCHES): Set<string> {
  const series = new Map<string, Map<string, number>>();
  for (const { episode, alternatives, patch } of histories) {
    const sizes = series.get(patchName(patch)) ?? new Map<string, number>();
    series.set(patchName(patch), sizes.set(episode, (sizes.get(episode) ?? 0) + alternatives.length));
  }
  const sizes = largestOf([...series.values()]);
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return total <= maxRows ? new Set(sizes.keys()) : episodesUnderCap(sizes, maxRows);
}

/** Of each episode the rows of its largest series: each is scored by itself. */
export function largestOf(series: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const [episode, size] of series.flatMap((own) => [...own]))
    sizes.set(episode, Math.max(size, sizes.get(episode) ?? 0));
  return sizes;
}

/** Histories of other words, of the shape that most have, in episodes under the cap. */
export function selectBranches(histories: Pick<GroupHistories, 'histories'>): BranchSelection {
  return selectOf(histories, '');
}

/** The histories of each layer and size of a moved state, so too, in rising order. */
export function selectPatches(
  histories: Pick<GroupHistories, 'histories'>,
): { patch: PatchKey; selection: BranchSelection }[] {
  const found = new Map<string, PatchKey>();
  for (const { patch } of histories.histories.values()) if (patch) found.set(patchName(patch), patch);
  return [...found.values()]
    .sort((a, b) =>
      a.kind === b.kind ? a.layer - b.layer || (a.size ?? 0) - (b.size ?? 0) : a.kind < b.kind ? -1 : 1,
    )
    .map((patch) => ({ patch, selection: selectOf(histories, patchName(patch)) }));
}

function selectOf({ histories }: Pick<GroupHistories, 'histories'>, name: string): BranchSelection {
  const kept = keptBranchEpisodes(histories.values());
  const under = [...histories.values()].filter(
    ({ episode, patch }) => kept.has(episode) && patchName(patch) === name,
  );
  const shape = commonShape(under);
  const used = under.filter(({ alternatives }) => alternatives.every((one) => shapeOf(one) === shape));
  const first = used[0]?.alternatives[0];
  return {
    histories: used,
    rows: used.reduce((sum, { alternatives }) => sum + alternatives.length, 0),
    layers: { source: first?.end.layers ?? [], target: first?.reply.layers ?? [] },
    seed: used[0]?.seed,
  };
}

const shapeOf = ({ end, reply }: OwnedAlternative): string => `${shapeOfBranch(end)} ${shapeOfBranch(reply)}`;

function commonShape(histories: readonly OwnedHistory[]): string | undefined {
  const counts = new Map<string, number>();
  for (const one of histories.flatMap(({ alternatives }) => alternatives))
    counts.set(shapeOf(one), (counts.get(shapeOf(one)) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0]?.[0];
}

/** The numbers of these histories, one after the other. */
export function branchesOf(histories: readonly OwnedHistory[]): Branches {
  const rows = histories.flatMap((history) => history.alternatives.map((one) => ({ history, one })));
  const label = (of: (row: (typeof rows)[number]) => number): Int32Array => Int32Array.from(rows, of);
  const seen = rows.every(({ one }) => one.bystander !== undefined)
    ? rows.map(({ one }) => one.bystander as SharedBranch)
    : [];
  const texts = rows.map(({ one }) => textOf(one.end));
  const dims = texts[0]?.length ?? 0;
  return {
    n: rows.length,
    scenario: label(({ history }) => labelOf(history.scenario)),
    episode: label(({ history }) => labelOf(history.episode)),
    turn: label(({ history }) => history.turn),
    alternative: label(({ one }) => one.k),
    source: layersOf(rows.map(({ one }) => one.end)),
    target: layersOf(rows.map(({ one }) => one.reply)),
    words: texts.every(({ length }) => length === dims) ? stacked(texts, 0, dims) : zeros(rows.length, 0),
    bystander: layersOf(seen),
  };
}

/** The numbers of histories whose versions had a moved state. */
export function patchRowsOf(histories: readonly OwnedHistory[]): PatchRows {
  const { source, bystander: _, words: __, ...rows } = branchesOf(histories);
  return { ...rows, coefficients: source[0] ?? zeros(rows.n, 0) };
}

/**
 * The numbers of histories whose versions had a state of another episode, and of those in which nothing was replaced:
 * of these the listener's state is the mean over what the speaker might have said.
 */
export function exchangeRowsOf(
  exchanged: readonly OwnedHistory[],
  whole: readonly OwnedHistory[],
  layer: number,
): ExchangeRows {
  const { source, bystander: _, words: __, ...rows } = branchesOf(exchanged);
  const donors = exchanged.flatMap(({ alternatives }) =>
    alternatives.map(({ donor = '' }) => labelOf(donor)),
  );
  const known = whole.filter(({ before }) => before?.layers.includes(layer));
  const label = (of: (history: OwnedHistory) => number): Int32Array => Int32Array.from(known, of);
  return {
    ...rows,
    donor: Int32Array.from(donors),
    moved: source[0] ?? zeros(rows.n, 0),
    unpatched: {
      n: known.length,
      scenario: label(({ scenario }) => labelOf(scenario)),
      turn: label(({ turn }) => turn),
      source:
        layersOf(known.map(({ before }) => layerOfBranch(before as SharedBranch, layer)))[0] ?? zeros(0, 0),
      target: meanReplies(known),
    },
  };
}

/** Per layer [histories, dims]: the mean over all versions with other words. */
function meanReplies(histories: readonly OwnedHistory[]): Matrix[] {
  const all = layersOf(histories.flatMap(({ alternatives }) => alternatives.map(({ reply }) => reply)));
  return all.map(({ cols, data }) => {
    const out = zeros(histories.length, cols);
    let row = 0;
    for (const [h, { alternatives }] of histories.entries())
      for (let k = 0; k < alternatives.length; k++, row++)
        for (let c = 0; c < cols; c++)
          out.data[h * cols + c] =
            (out.data[h * cols + c] as number) + (data[row * cols + c] as number) / alternatives.length;
    return out;
  });
}

/** Number of different utterances of a history's versions, by the features of their words; on average. */
export function distinctUtterances(histories: readonly OwnedHistory[]): number {
  const counts = histories.map(
    ({ alternatives }) =>
      new Set(alternatives.map(({ end }) => Buffer.from(end.text).toString('base64'))).size,
  );
  return counts.reduce((sum, count) => sum + count, 0) / Math.max(1, counts.length);
}

/** Per layer [rows, dims]. */
function layersOf(states: readonly SharedBranch[]): Matrix[] {
  const count = states[0]?.layers.length ?? 0;
  const numbers = states.map(statesOf);
  const dims = (numbers[0]?.length ?? 0) / Math.max(1, count);
  if (numbers.some(({ length }) => length !== count * dims)) return [];
  return Array.from({ length: count }, (_, layer) => stacked(numbers, layer * dims, dims));
}

function stacked(rows: readonly Float32Array[], from: number, cols: number): Matrix {
  const out = zeros(rows.length, cols);
  for (const [r, row] of rows.entries()) out.data.set(row.subarray(from, from + cols), r * cols);
  return out;
}
