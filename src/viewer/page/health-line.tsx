/** One line of how the programs of an open run are; what is wrong is red and says what to do. */
import type { HealthPart } from '../view-data.ts';

export function HealthLine({ parts }: { parts: readonly HealthPart[] }) {
  if (parts.length === 0) return null;
  const faults = parts.filter(({ state }) => state === 'fault');
  return (
    <section class={`health${faults.length > 0 ? ' ill' : ''}`} aria-label="Health of the run">
      <ul>
        {parts.map(({ name, state, text }) => (
          <li key={name} class={state}>
            <span class="lamp" aria-hidden="true" />
            {name} <b>{text}</b>
            <span class="hidden">{state === 'fault' ? ', wrong' : ''}</span>
          </li>
        ))}
      </ul>
      {faults.map(({ name, remedy }) => (
        <p key={name} role="alert" class="fault">
          {name}: {remedy}
        </p>
      ))}
    </section>
  );
}
