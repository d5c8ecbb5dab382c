/** What was said and what might have been said instead, with each wording once. */
import type { AlternativeView, EffectView, UtteranceView } from '../../view-data.ts';

export interface Wording extends AlternativeView {
  /** Number of alternatives that say this word for word. */
  count: number;
}

/**
 * What was said comes first, as alternative 0. Rows are merged where the words, the movement of the speaker's state and
 * the figures of all listeners are equal as they are shown.
 */
export function wordingsOf(
  { text, alternatives = [] }: Pick<UtteranceView, 'text' | 'alternatives'>,
  effects: readonly Pick<EffectView, 'moved'>[],
): Wording[] {
  const rows = new Map<string, Wording>();
  const all: AlternativeView[] = [{ k: 0, text }, ...alternatives];
  for (const one of all) {
    const figures = effects.map(({ moved }) => moved?.[one.k]?.toFixed(2));
    const key = JSON.stringify([one.text.trim().split(/\s+/), one.moved, figures]);
    const known = rows.get(key) ?? { ...one, count: 0 };
    rows.set(key, { ...known, count: known.count + Number(one.k > 0) });
  }
  return [...rows.values()];
}

/** As "3 alternatives", "3 alternatives in 2 wordings". */
export function countText(wordings: readonly Wording[]): string {
  const [said] = wordings;
  const all = wordings.reduce((sum, { count }) => sum + count, 0);
  const different = wordings.length - 1;
  const text = `${all} ${all === 1 ? 'alternative' : 'alternatives'}`;
  if (different === all) return text;
  if (different === 0) return `${text} in the same words`;
  const own = different + Number((said?.count ?? 0) > 0);
  return `${text} in ${own} ${own === 1 ? 'wording' : 'wordings'}`;
}

/** What stands behind the words; empty for one alternative that was not said. */
export function sameText({ k, count }: Wording): string {
  const same = `${count} × the same words`;
  if (k === 0) return count === 0 ? 'said' : `said, and ${same}`;
  return count > 1 ? same : '';
}
