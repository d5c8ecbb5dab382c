/** One episode as it is spoken: the agents' instructions, the utterances, and the alternatives of branched turns. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EpisodeView, PersonView, RunView, UtteranceView } from '../view-data.ts';
import { linkTo } from './address.ts';
import { conditionClass, hueOf, meaningOf } from './words.ts';

interface TalkProps {
  run: RunView;
  episode: string | undefined;
  /** The turn that the address names. */
  turn: number | undefined;
  words: readonly UtteranceView[];
  speaking: { turn: number; agent: string; text: string } | undefined;
}

export function Talk({ run, episode, turn, words, speaking }: TalkProps) {
  const [played, setPlayed] = useState<number>();
  const talk = run.talks.find((one) => one.episode === episode);
  if (!talk)
    return <p class="empty">{run.talks.length === 0 ? 'Nobody has spoken yet.' : 'Pick an episode.'}</p>;
  const shown = played === undefined ? words : words.filter((one) => one.turn <= played);
  return (
    <>
      <Briefing run={run} talk={talk} />
      <Utterances
        run={run}
        talk={talk}
        turn={turn}
        words={shown}
        speaking={played === undefined ? speaking : undefined}
      />
      {!talk.open && words.length > 1 && (
        <Player last={words.at(-1)?.turn ?? 0} played={played} play={setPlayed} />
      )}
    </>
  );
}

function Briefing({ run, talk }: { run: RunView; talk: EpisodeView }) {
  const scenario = run.scenarios.find(({ id }) => id === talk.scenario);
  const { condition } = talk;
  return (
    <div class="briefing">
      <h2>
        {talk.scenario} <span class="soft">{talk.episode}</span>{' '}
        <span class={`chip ${conditionClass(condition)}`} title={meaningOf(condition)}>
          {condition}
        </span>
      </h2>
      <p>
        {scenario?.text} <span class="soft">{meaningOf(condition) && `Here ${meaningOf(condition)}.`}</span>
      </p>
      <Twins run={run} talk={talk} />
      <div class="people">
        {talk.order.map((agent, role) => (
          <Person key={agent} agent={agent} role={role} person={scenario?.people[role]} />
        ))}
      </div>
    </div>
  );
}

/** The same scenario and seed in the other conditions. */
function Twins({ run, talk }: { run: RunView; talk: EpisodeView }) {
  const likes = run.talks.filter(
    ({ scenario, order }) => scenario === talk.scenario && order[0] === talk.order[0],
  );
  const alike = (condition: string): EpisodeView[] => likes.filter((one) => one.condition === condition);
  const place = alike(talk.condition).findIndex(({ episode }) => episode === talk.episode);
  const twins = [...new Set(likes.map(({ condition }) => condition))]
    .filter((condition) => condition !== talk.condition)
    .flatMap((condition) => alike(condition)[place] ?? []);
  if (twins.length === 0) return null;
  return (
    <p class="twins">
      The same episode in{' '}
      {twins.map(({ episode, condition }) => (
        <a key={episode} class={`chip ${conditionClass(condition)}`} href={linkTo(run.run, episode)}>
          {condition}
        </a>
      ))}
    </p>
  );
}

function Person({ agent, role, person }: { agent: string; role: number; person: PersonView | undefined }) {
  return (
    <details class={`person ${hueOf(role)}`}>
      <summary>
        <b>{agent}</b> <span class="soft">persona, goal and secret</span>
      </summary>
      <dl>
        <dt>persona</dt>
        <dd>{person?.persona || '–'}</dd>
        <dt>goal</dt>
        <dd>{person?.goal || '–'}</dd>
        <dt>secret</dt>
        <dd>{person?.secret || '–'}</dd>
      </dl>
    </details>
  );
}

function Utterances({
  run,
  talk,
  turn,
  words,
  speaking,
}: Omit<TalkProps, 'episode'> & { talk: EpisodeView }) {
  const list = useRef<HTMLOListElement>(null);
  const named = useRef<HTMLLIElement>(null);
  const size = words.length + (speaking?.text.length ?? 0);
  useEffect(() => {
    const [box, bubble] = [list.current, named.current];
    // Only the list scrolls: scrollIntoView would move the page as well.
    if (turn !== undefined && box && bubble)
      box.scrollTop +=
        bubble.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 3;
  }, [turn, words.length > 0]);
  useEffect(() => {
    const box = list.current;
    if (box && turn === undefined) box.scrollTop = box.scrollHeight;
  }, [size, turn]);
  return (
    <ol class="bubbles" ref={list} tabIndex={0} aria-label="Utterances">
      {words.map((one) => (
        <Bubble
          key={one.turn}
          run={run.run}
          said={one}
          role={one.turn % talk.order.length}
          isNamed={one.turn === turn}
          place={one.turn === turn ? named : undefined}
        />
      ))}
      {speaking && (
        <li class={`bubble ${hueOf(speaking.turn % talk.order.length)} speaking`}>
          <span class="who">{speaking.agent}</span>
          <p dir="auto">{speaking.text}</p>
        </li>
      )}
    </ol>
  );
}

interface BubbleProps {
  run: string;
  said: UtteranceView;
  role: number;
  isNamed: boolean;
  place: { current: HTMLLIElement | null } | undefined;
}

function Bubble({ run, said, role, isNamed, place }: BubbleProps) {
  const { episode, turn, agent, text, finish, alternatives } = said;
  const note = { leave: 'leaves', absent: 'has left', length: 'cut at the limit' }[finish];
  return (
    <li ref={place ?? null} class={`bubble ${hueOf(role)}${isNamed ? ' named' : ''}`}>
      <span class="who">
        {agent}{' '}
        <a class="soft" href={linkTo(run, episode, turn)} aria-label={`turn ${turn + 1}, link to it`}>
          turn {turn + 1}
        </a>
        {note !== undefined && <span class="soft"> · {note}</span>}
      </span>
      <p dir="auto">{text === '' ? <span class="soft">(says nothing)</span> : text}</p>
      {alternatives && (
        <details class="alternatives">
          <summary>{alternatives.length} alternatives from the same history</summary>
          <ul>
            {alternatives.map((one) => (
              <li key={one.k} dir="auto">
                {one.text || '(says nothing)'}
                {one.moved && (
                  <span class="soft">
                    {' '}
                    · layer {one.moved.layer} moved by {one.moved.size} SD
                  </span>
                )}
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

const SPEEDS = [1, 2, 4, 8];
const TURN_MS = 1600;

function Player({
  last,
  played,
  play,
}: {
  last: number;
  played: number | undefined;
  play(turn: number | undefined): void;
}) {
  const [speed, setSpeed] = useState(2);
  const [isRunning, setIsRunning] = useState(false);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setTimeout(() => {
      const next = (played ?? -1) + 1;
      if (next > last) {
        setIsRunning(false);
        play(undefined);
      } else play(next);
    }, TURN_MS / speed);
    return () => clearTimeout(timer);
  }, [isRunning, played, speed, last]);
  const toggle = (): void => {
    if (!isRunning && (played === undefined || played >= last)) play(0);
    setIsRunning(!isRunning);
  };
  return (
    <div class="player">
      <button type="button" onClick={toggle}>
        {isRunning ? 'Pause' : 'Play'}
      </button>
      <input
        type="range"
        min={0}
        max={last}
        value={played ?? last}
        aria-label="Turn"
        onInput={(event) => {
          const at = Number(event.currentTarget.value);
          play(at >= last ? undefined : at);
        }}
      />
      <span class="soft">
        turn {(played ?? last) + 1} of {last + 1}
      </span>
      <button
        type="button"
        onClick={() => setSpeed(SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length] ?? 1)}
      >
        speed {speed} ×
      </button>
    </div>
  );
}
