/** The search for a word in all utterances of a run. */
import { useState } from 'preact/hooks';
import type { RunView, UtteranceView } from '../view-data.ts';
import { linkTo } from './address.ts';
import { findWords } from './api.ts';

export function Finder({ run }: { run: RunView }) {
  const [found, setFound] = useState<{ text: string; in: UtteranceView[] }>();
  const find = (event: SubmitEvent): void => {
    event.preventDefault();
    const text = new FormData(event.currentTarget as HTMLFormElement).get('text');
    if (typeof text !== 'string' || text.trim() === '') return setFound(undefined);
    void findWords(run.run, text).then((utterances) => setFound({ text, in: utterances }));
  };
  return (
    <form class="finder" role="search" onSubmit={find}>
      <input type="search" name="text" placeholder="Search the talk" aria-label="Find a word in the talk" />
      {found && (
        <ol class="found" aria-label={`Utterances with "${found.text}"`}>
          {found.in.length === 0 && <li class="soft">Nobody said that.</li>}
          {found.in.map((one) => (
            <li key={`${one.episode}/${one.turn}`}>
              <a href={linkTo(run.run, one.episode, one.turn)}>
                <span class="soft">
                  {one.episode} · {one.agent}
                </span>{' '}
                {one.text}
              </a>
            </li>
          ))}
        </ol>
      )}
    </form>
  );
}
