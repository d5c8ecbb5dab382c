/** What the colour of an utterance says: two things, each with its own scale; one at a time. */
import type { EffectsView } from '../view-data.ts';

export type Tint = 'moved' | 'part' | 'none';

const NAMES: Record<Tint, string> = {
  moved: 'how far it moved the listener',
  part: 'its own R² in rung 2',
  none: 'nothing',
};

const MEANINGS: Record<Tint, string> = {
  moved:
    'From branches: distance of the listener’s state from its mean over all alternatives, in standard deviations (SD) of that state. Exactly 0 where nobody hears.',
  part: 'How much of the next speaker’s state this turn’s state tells, on held-out scenarios: an association. Its mean over all turns is the mean of the layer map. Below 0 it stays plain.',
  none: '',
};

/** What colours can say of an episode, the first by itself. */
export const tintsOf = ({ movedScale, partScale }: EffectsView): Tint[] => [
  ...(movedScale > 0 ? (['moved'] as const) : []),
  ...(partScale > 0 ? (['part'] as const) : []),
  'none',
];

interface TintLegendProps {
  tint: Tint;
  effects: EffectsView;
  pick(tint: Tint): void;
}

export function TintLegend({ tint, effects, pick }: TintLegendProps) {
  const { movedScale, partScale } = effects;
  if (movedScale === 0 && partScale === 0) return null;
  const scale = tint === 'moved' ? movedScale : partScale;
  return (
    <p class="tint" title={MEANINGS[tint]}>
      <label>
        Colour:{' '}
        <select value={tint} onChange={(event) => pick(event.currentTarget.value as Tint)}>
          {tintsOf(effects).map((one) => (
            <option key={one} value={one}>
              {NAMES[one]}
            </option>
          ))}
        </select>
      </label>
      {tint !== 'none' && (
        <span class="soft">
          0 <span class="tint-ramp" aria-hidden="true" /> ≥ {scale.toFixed(2)}
          {tint === 'moved' ? ' SD' : ''}
        </span>
      )}
      {tint === 'moved' && (
        <span class="soft">
          How far the listener’s state is from its mean over all that could have been said. Plain: not
          measured at that turn.
        </span>
      )}
    </p>
  );
}
