/** The search for a word in all utterances of a run, as it is typed. */
import { useEffect, useState } from 'preact/hooks';
import type { RunView, UtteranceView } from '../view-data.ts';
import { linkTo } from './address.ts';
import { findWords } from './api.ts';
import { placeOf } from './format.ts';

const WAIT_MS = 200;

interface Found {
  text: string;
  said: UtteranceView[];
}

export function Finder({ run }: { run: RunView }) {
  const [text, setText] = useState('');
  const [found, setFound] = useState<Found>();
  const wanted = text.trim();
  useEffect(() => {
    let isOver = false;
    const find = async (): Promise<void> => {
      const said = wanted === '' ? undefined : await findWords(run.run, wanted).catch(() => undefined);
      if (!isOver) setFound(said && { text: wanted, said });
    };
    const timer = setTimeout(() => void find(), WAIT_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [run.run, wanted]);
  return (
    <form class="finder" role="search" onSubmit={(event) => event.preventDefault()}>
      <input
        type="search"
        placeholder="Search the talk"
        aria-label="Find a word in the talk"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {found && <Hits run={run} found={found} />}
    </form>
  );
}

function Hits({ run, found: { text, said } }: { run: RunView; found: Found }) {
  return (
    <ol class="found" aria-label={`Utterances with "${text}"`}>
      {said.length === 0 && <li class="soft">Nobody said that.</li>}
      {said.map(({ episode, turn, agent, text: words }) => {
        const talk = run.talks.find((one) => one.episode === episode);
        return (
          <li key={`${episode}/${turn}`}>
            <a href={linkTo(run.run, episode, turn)}>
              <span class="soft">
                {talk?.scenario} {talk ? placeOf(talk) : episode}, {talk?.condition} · {agent}
              </span>
              <br />
              <Marked words={words} text={text} />
            </a>
          </li>
        );
      })}
    </ol>
  );
}

/** Characters shown before and after a hit. */
const AROUND = 60;

function Marked({ words, text }: { words: string; text: string }) {
  const at = Math.max(0, words.toLowerCase().indexOf(text.toLowerCase()));
  const end = at + text.length;
  const from = Math.max(0, at - AROUND);
  return (
    <span dir="auto">
      {from > 0 && '…'}
      {words.slice(from, at)}
      <mark>{words.slice(at, end)}</mark>
      {words.slice(end, end + AROUND)}
      {end + AROUND < words.length && '…'}
    </span>
  );
}
