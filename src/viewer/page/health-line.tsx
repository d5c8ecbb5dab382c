/** One line of how the programs of an open run are; what is wrong is red and says what to do. */
import type { HealthPart } from '../view-data.ts';
import { useIsNarrow } from './state/use-media.ts';

export function HealthLine({ parts }: { parts: readonly HealthPart[] }) {
  const isNarrow = useIsNarrow();
  if (parts.length === 0) return null;
  const faults = parts.filter(({ state }) => state === 'fault');
  return (
    <section class={`health${faults.length > 0 ? ' ill' : ''}`} aria-label="Health of the run">
      {isNarrow && faults.length === 0 ? (
        <details>
          <summary>
            <span class="lamp" aria-hidden="true" />
            the programs are well
          </summary>
          <Parts parts={parts} />
        </details>
      ) : (
        <Parts parts={parts} />
      )}
      {faults.map(({ name, remedy }) => (
        <p key={name} role="alert" class="fault">
          {name}: {remedy}
        </p>
      ))}
    </section>
  );
}

function Parts({ parts }: { parts: readonly HealthPart[] }) {
  return (
    <ul>
      {parts.map(({ name, state, text, term }) => (
        <li key={name} class={state}>
          <span class="lamp" aria-hidden="true" />
          {term === undefined ? name : <a href={`/?glossary#${term}`}>{name}</a>} <b>{text}</b>
          <span class="hidden">{state === 'fault' ? ', wrong' : ''}</span>
        </li>
      ))}
    </ul>
  );
}
