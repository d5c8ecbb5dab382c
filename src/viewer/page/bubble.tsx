/** One utterance: who said it, how far it moved whom, and what might have been said instead. */
import type { EffectsView, EffectView, EpisodeView, UtteranceView } from '../view-data.ts';
import { linkTo } from './address.ts';
import { countText, sameText, wordingsOf } from './state/wordings.ts';
import type { Tint } from './tint-legend.tsx';
import { hueOf, signed } from './format.ts';

export interface Tinted {
  tint: Tint;
  effects: EffectsView;
}

interface BubbleProps {
  run: string;
  said: UtteranceView;
  talk: EpisodeView;
  tinted: Tinted;
  isNamed: boolean;
  place: { current: HTMLLIElement | null } | undefined;
}

export function Bubble({ run, said, talk, tinted, isNamed, place }: BubbleProps) {
  const { episode, turn, agent, text, finish } = said;
  const note = { leave: 'leaves', absent: 'has left', length: 'cut off at the limit of tokens' }[finish];
  const own = tinted.effects.effects.filter((effect) => effect.turn === turn);
  const share = shareOf(own, tinted);
  return (
    <li
      ref={place ?? null}
      class={`bubble ${hueOf(turn % talk.order.length)}${isNamed ? ' named' : ''}${share === undefined ? ' plain' : ''}`}
      style={{ '--tint': `${Math.round(100 * (share ?? 0))}%` }}
    >
      <span class="who">
        {agent}{' '}
        <a class="soft" href={linkTo(run, episode, turn)} title="Link to this turn">
          turn {turn + 1}
        </a>
        {note !== undefined && <span class="soft"> · {note}</span>}
        {own.map((effect) => (
          <Figure key={effect.targetRole} said={said} effect={effect} talk={talk} tinted={tinted} />
        ))}
      </span>
      <p dir="auto">{text === '' ? <span class="soft">(says nothing)</span> : text}</p>
      {said.alternatives && (
        <Alternatives said={said} effects={own} talk={talk} scale={tinted.effects.movedScale} />
      )}
    </li>
  );
}

/** Of the strongest colour; undefined where the utterance has no figure of the kind that is shown. */
function shareOf(effects: readonly EffectView[], { tint, effects: all }: Tinted): number | undefined {
  if (tint === 'none') return 0;
  const values = effects.flatMap(({ moved, part }) => (tint === 'moved' ? moved?.['0'] : part) ?? []);
  const scale = tint === 'moved' ? all.movedScale : all.partScale;
  if (values.length === 0) return undefined;
  return scale > 0 ? Math.min(1, Math.max(0, ...values) / scale) : 0;
}

/** Who listens in a place: in `reader` the last one only reads along. */
const listenerOf = ({ order, reader }: EpisodeView, role: number): string =>
  (role === order.length && reader !== undefined ? reader : order[role - 1]) ?? `speaker ${role}`;

interface FigureProps {
  said: UtteranceView;
  effect: EffectView;
  talk: EpisodeView;
  tinted: Tinted;
}

/** The figure behind the colour; on hover its null, and what was heard instead with how far that moved the listener. */
function Figure({ said, effect, talk, tinted: { tint, effects } }: FigureProps) {
  const listener = listenerOf(talk, effect.targetRole);
  const moved = effect.moved?.['0'];
  if (tint === 'moved' && moved !== undefined) {
    const heard = wordingsOf(said, [effect]).map((one) => {
      const value = effect.moved?.[one.k];
      const same = one.count > 0 ? sameText(one) : '';
      return `${value === undefined ? '–' : value.toFixed(2)}  ${one.text || '(says nothing)'}${same && ` (${same})`}`;
    });
    const title = `moved ${listener} by ${moved.toFixed(2)} SD of its state; where nobody hears it is exactly 0; said, and heard instead:\n${heard.join('\n')}`;
    return (
      <span class="effect" title={title}>
        moved {listener} {moved.toFixed(2)} SD
      </span>
    );
  }
  if (tint !== 'part' || effect.part === undefined) return null;
  const against = effects.partNull === null ? '' : `; mean under the null ${signed(effects.partNull)}`;
  return (
    <span class="effect" title={`R² of this turn pair, to ${listener}: ${signed(effect.part)}${against}`}>
      R² {effect.part.toFixed(2).replace('-', '−')}
    </span>
  );
}

interface AlternativesProps {
  said: UtteranceView;
  effects: readonly EffectView[];
  talk: EpisodeView;
  scale: number;
}

/** What was heard instead, each beside how the listener's state moved for it. */
function Alternatives({ said, effects, talk, scale }: AlternativesProps) {
  const { alternatives = [] } = said;
  const heard = effects.filter(({ moved }) => moved);
  const rows = wordingsOf(said, heard);
  // The colours stop below the strongest; a bar that did would show two values as one.
  const longest = Math.max(scale, ...heard.flatMap(({ moved }) => rows.map(({ k }) => moved?.[k] ?? 0)));
  return (
    <details
      class="alternatives"
      onToggle={({ currentTarget }) =>
        currentTarget.open && currentTarget.scrollIntoView({ block: 'nearest' })
      }
    >
      <summary>What was said, and {countText(rows)}</summary>
      <p class="soft">{whatBarsShow(heard, talk, alternatives.length + 1)}</p>
      <ul>
        {rows.map((one) => (
          <li key={one.k} class={one.k === 0 ? 'was-said' : ''}>
            {heard.map(({ targetRole, moved }) => (
              <Move key={targetRole} value={moved?.[one.k]} scale={longest} />
            ))}
            <span class="wording">
              <span class="alternative" dir="auto">
                {one.text || '(says nothing)'}
              </span>
              {sameText(one) !== '' && <span class="soft"> {sameText(one)}</span>}
              {one.moved && (
                <span class="soft">
                  {' '}
                  layer {one.moved.layer} moved {one.moved.by}
                </span>
              )}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function whatBarsShow(heard: readonly EffectView[], talk: EpisodeView, count: number): string {
  if (heard.length === 0) return 'What they would have done to a listener was not measured, or is not yet.';
  const listeners = heard.map(({ targetRole }) => listenerOf(talk, targetRole)).join(' and ');
  if (talk.condition === 'monologue') return `None of them reaches ${listeners}, so its state is the same:`;
  return `How far the state of ${listeners} is from its mean over all ${count}, each heard from the same state, in SD:`;
}

function Move({ value, scale }: { value: number | undefined; scale: number }) {
  const share = value === undefined || scale === 0 ? 0 : Math.min(1, value / scale);
  return (
    <span class="move">
      <span class="move-bar" style={{ '--share': `${Math.round(100 * share)}%` }} aria-hidden="true" />
      <span class="move-value">{value === undefined ? '–' : value.toFixed(2)}</span>
    </span>
  );
}
