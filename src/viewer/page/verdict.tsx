/** What the figures of a run allow one to say, in one sentence, and how sure that is. */
import { useRef } from 'preact/hooks';
import type { RunView } from '../view-data.ts';
import { useIsNarrow } from './state/use-media.ts';

/** Read aloud when it says something else, not when a figure in it moves: that it does with each score of a run. */
function Claim({ text }: { text: string }) {
  const words = text.replaceAll(/\d+/g, '');
  const last = useRef<{ text: string; words: string; live: 'polite' | 'off' }>({
    text,
    words,
    live: 'polite',
  });
  if (last.current.text !== text)
    last.current = { text, words, live: last.current.words === words ? 'off' : 'polite' };
  return (
    <p role="status" aria-live={last.current.live}>
      {text}
    </p>
  );
}

/** What a newcomer needs to read the lines above it. */
function noteOf({ claim, evidence, caveat }: RunView['figures']['verdict']): string {
  const whole = [claim, ...evidence].join(' ');
  return [
    caveat,
    whole.includes('histories') &&
      !caveat.includes('alternatives') &&
      'A history is a turn at which alternatives were tried.',
    whole.includes('[') && 'In brackets: 95\u00a0% intervals.',
    whole.includes('monologue') && 'In monologue nobody hears.',
  ]
    .filter(Boolean)
    .join(' ');
}

/** Why figures may still change. */
const UNFINISHED: Readonly<Partial<Record<RunView['state'], string>>> = {
  running: 'the run is open',
  scoring: 'the last figures are being computed',
  stopped: 'the run was stopped before its end',
};

export function Verdict({ run: { figures, failure, state } }: { run: RunView }) {
  const { verdict } = figures;
  const isNarrow = useIsNarrow();
  const grounds = (
    <>
      {verdict.evidence.length > 0 && <p class="evidence">{verdict.evidence.join(' · ')}</p>}
      <p class="evidence-note">
        {noteOf(verdict)}
        {figures.provisional && figures.groups.length > 0 && (
          <> Provisional: {UNFINISHED[state] ?? 'not all of the run is scored'}.</>
        )}
      </p>
    </>
  );
  return (
    <section class="verdict" aria-label="What the figures allow one to say">
      {failure !== undefined && <p class="fault">The run failed: {failure}</p>}
      <Claim text={verdict.claim} />
      {isNarrow && verdict.evidence.length > 0 ? (
        <details>
          <summary>How sure that is</summary>
          {grounds}
        </details>
      ) : (
        grounds
      )}
    </section>
  );
}
