/** What each utterance did to each listener, as the last lines of `scores.jsonl` say: tints of the talk. */
import type { LayerMapReport } from '../../protocol/reports/score-report.ts';
import type { EffectsView, EffectView, GroupView } from '../view-data.ts';

type Place = Pick<GroupView, 'key' | 'targetRole'>;

interface GroupEffects {
  targetRole: number;
  /** History, as `EPISODE TURN` → alternative → how far it moved the listener. */
  moves: Record<string, Record<string, number>>;
  /** Episode → turn → its own R². */
  parts: Record<string, Record<string, number>>;
  /** Turn pairs with a part, and the mean of their parts under the null. */
  count: number;
  partNull: number | null;
}

/** By the key of the group. */
export type EffectsState = Map<string, GroupEffects>;

export const emptyEffects = (): EffectsState => new Map();

function effectsOf(state: EffectsState, { key, targetRole }: Place): GroupEffects {
  const known = state.get(key) ?? { targetRole, moves: {}, parts: {}, count: 0, partNull: null };
  state.set(key, known);
  return known;
}

/** @param moves field `moves` of an influence line in scores.jsonl; absent in older recordings */
export function takeMoves(state: EffectsState, group: Place, moves: unknown): void {
  if (typeof moves !== 'object' || moves === null) return;
  effectsOf(state, group).moves = moves as GroupEffects['moves'];
}

/** Parts are brought to the scale of the score: their mean over turn pairs is the mean of the map. */
export function takeParts(state: EffectsState, group: Place, { nulls, turns }: LayerMapReport): void {
  const own = effectsOf(state, group);
  own.count = Object.values(turns).reduce((sum, parts) => sum + Object.keys(parts).length, 0);
  own.parts = turns;
  const cells = nulls.flat();
  own.partNull = cells.length === 0 ? null : cells.reduce((sum, value) => sum + value, 0) / cells.length;
}

/** Of one episode; scales are those of the whole run. */
export function effectsView(state: EffectsState, episode: string): EffectsView {
  const groups = [...state.values()];
  const effects = groups.flatMap((group) => effectsIn(group, episode));
  const said = groups.flatMap(({ moves }) => Object.values(moves).flatMap((own) => own['0'] ?? []));
  const parts = groups.flatMap(({ parts: all, count }) =>
    Object.values(all).flatMap((own) => Object.values(own).map((part) => Math.abs(part * count))),
  );
  const nulls = groups.flatMap(({ parts: all, partNull }) => (all[episode] ? (partNull ?? []) : []));
  return {
    effects: effects.toSorted((a, b) => a.turn - b.turn || a.targetRole - b.targetRole),
    movedScale: highOf(said),
    partScale: highOf(parts),
    partNull: nulls.length === 0 ? null : nulls.reduce((sum, value) => sum + value, 0) / nulls.length,
  };
}

function effectsIn({ targetRole, moves, parts, count }: GroupEffects, episode: string): EffectView[] {
  const moved = Object.entries(moves).flatMap(([history, values]): EffectView[] => {
    const at = history.lastIndexOf(' ');
    return history.slice(0, at) === episode
      ? [{ turn: Number(history.slice(at + 1)), targetRole, moved: values }]
      : [];
  });
  const own = Object.entries(parts[episode] ?? {}).map(([turn, part]) => ({
    turn: Number(turn),
    targetRole,
    part: part * count,
  }));
  const turns = [...new Set([...moved, ...own].map(({ turn }) => turn))];
  return turns.map((turn) => ({
    turn,
    targetRole,
    ...moved.find((one) => one.turn === turn),
    ...own.find((one) => one.turn === turn),
  }));
}

/** The 95th percentile, so that one outlier does not pale all others. */
function highOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(0.95 * sorted.length) - 1] ?? 0;
}
