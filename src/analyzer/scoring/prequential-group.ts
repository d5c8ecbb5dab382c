/**
 * The prequential score of one group between two full scores: rows that came since are tested and then learnt, in the order of their episodes'
 * names and turns. States that were replaced begin it anew, since what was learnt cannot be unlearnt.
 */
import { createPrequential, type Prequential } from '../../synchrony/online/prequential.ts';
import type { PrequentialRow } from '../../synchrony/online/prequential-rows.ts';
import type { LinearAlgebra } from '../../numeric/linear-algebra.ts';
import type { EpisodeBook } from '../ingest/episode-index.ts';
import { labelOf, turnOf, type GroupRows, type Selection } from '../ingest/group-rows.ts';
import type { PrequentialAnswer } from './messages.ts';
import type { TurnNumbers } from '../ingest/turn-numbers.ts';

export interface PrequentialGroup {
  learner: Prequential;
  /** EPISODE SOURCE>TARGET of each row taken. */
  known: Set<string>;
  replaced: number;
  shape: string;
}

export interface PrequentialJob {
  group: GroupRows;
  selection: Selection;
  book: EpisodeBook<TurnNumbers>;
  algebra: LinearAlgebra;
}

/** @returns what stands now, and the learner to go on with */
export async function learnGroup(
  before: PrequentialGroup | undefined,
  { group, selection, book, algebra }: PrequentialJob,
): Promise<{ state: PrequentialGroup; answer: PrequentialAnswer | null }> {
  const { rows, shape, pairs, leftOut } = selection;
  // Every row that was added counts once, every row that was replaced once more.
  const replaced = group.version - pairs.n - leftOut;
  const same = before && before.replaced === replaced && before.shape === shape;
  const state = same
    ? before
    : { learner: createPrequential(algebra), known: new Set<string>(), replaced, shape };
  const taken = state.known.size;
  const fresh = Object.entries(rows).flatMap(([episode, ids]) =>
    ids.filter((id) => !state.known.has(`${episode} ${id}`)).map((id) => ({ episode, id })),
  );
  for (const { episode, id } of fresh) state.known.add(`${episode} ${id}`);
  await state.learner.take(fresh.map(({ episode, id }) => rowOf(book, episode, id)));
  const score = state.learner.score();
  return { state, answer: score ? { ...score, taken } : null };
}

function rowOf(book: EpisodeBook<TurnNumbers>, episode: string, id: string): PrequentialRow {
  const [from = 0, to = 0] = id.split('>').map(Number);
  const [source, target] = [turnOf(book, episode, from), turnOf(book, episode, to)];
  const { text, words, sentence } = source;
  return {
    episode: labelOf(episode),
    turn: from,
    source: source.states,
    sourceLayers: source.layers,
    target: target.states,
    targetLayers: target.layers,
    text,
    words,
    sentence,
  };
}
