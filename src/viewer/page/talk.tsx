/** One episode as it is spoken: the agents' instructions, the utterances, and the alternatives of branched turns. */
import { useRef, useState } from 'preact/hooks';
import type { EpisodeView, PersonView, RunView, ScenarioView, UtteranceView } from '../view-data.ts';
import { linkTo } from './address.ts';
import { Bubble, type Tinted } from './bubble.tsx';
import { Player } from './player.tsx';
import { TintLegend, tintsOf, type Tint } from './tint-legend.tsx';
import { useEffects } from './state/use-effects.ts';
import { useIsCut } from './state/use-is-cut.ts';
import { useReadingPlace } from './state/use-reading-place.ts';
import { conditionClass, hueOf, isSpoken, meaningOf, placeOf } from './format.ts';

interface TalkProps {
  run: RunView;
  episode: string | undefined;
  /** The turn that the address names. */
  turn: number | undefined;
  words: readonly UtteranceView[];
  speaking: { turn: number; agent: string; text: string } | undefined;
  /** Whether the words could not be read. */
  isFault: boolean;
  /** What the colours were asked to say; it stays from one episode to the next. */
  picked: Tint | undefined;
  pick(tint: Tint): void;
}

export function Talk({ run, episode, turn, words, speaking, isFault, picked, pick }: TalkProps) {
  const [played, setPlayed] = useState<number>();
  const effects = useEffects(run, episode);
  const talk = run.talks.find((one) => one.episode === episode);
  if (!talk)
    return <p class="empty">{run.talks.length === 0 ? 'Nobody has spoken yet.' : 'Pick an episode.'}</p>;
  const kinds = tintsOf(effects);
  const tint = (picked !== undefined && kinds.includes(picked) ? picked : kinds[0]) ?? 'none';
  const shown = played === undefined ? words : words.filter((one) => one.turn <= played);
  return (
    <>
      <Briefing run={run} talk={talk} />
      <TintLegend tint={tint} effects={effects} pick={pick} />
      {isFault && words.length === 0 && (
        <p class="fault">The words of this episode could not be read: the viewer does not answer.</p>
      )}
      <Utterances
        run={run}
        talk={talk}
        turn={turn}
        words={shown}
        tinted={{ tint, effects }}
        speaking={played === undefined ? speaking : undefined}
      />
      {!isSpoken(run, talk) && words.length > 1 && (
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
        {talk.scenario} <span class="soft">{placeOf(talk)}</span>{' '}
        <span class={`chip ${conditionClass(condition)}`} title={meaningOf(condition)}>
          {condition}
        </span>{' '}
        <Twins run={run} talk={talk} />
      </h2>
      <p>
        {scenario?.text} <span class="soft">{meaningOf(condition) && `Here ${meaningOf(condition)}.`}</span>
      </p>
      <People talk={talk} scenario={scenario} />
    </div>
  );
}

/** Of long instructions the beginning, so that the talk below stays in sight, and all of them on demand. */
function People({ talk, scenario }: { talk: EpisodeView; scenario: ScenarioView | undefined }) {
  const box = useRef<HTMLDivElement>(null);
  const isCut = useIsCut(box);
  const [isWhole, setIsWhole] = useState(false);
  return (
    <details class="people">
      <summary>Personas, goals and secrets</summary>
      <div class={`persons${isWhole ? ' whole' : ''}${isCut ? ' cut' : ''}`} ref={box}>
        {talk.order.map((agent, role) => (
          <Person key={agent} agent={agent} role={role} person={scenario?.people[role]} />
        ))}
      </div>
      {(isCut || isWhole) && (
        <button type="button" aria-expanded={isWhole} onClick={() => setIsWhole(!isWhole)}>
          {isWhole ? 'Show less' : 'Show all of it'}
        </button>
      )}
    </details>
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
    <span class="twins">
      same in
      {twins.map(({ episode, condition }) => (
        <a key={episode} class={`chip ${conditionClass(condition)}`} href={linkTo(run.run, episode)}>
          {condition}
        </a>
      ))}
    </span>
  );
}

function Person({ agent, role, person }: { agent: string; role: number; person: PersonView | undefined }) {
  return (
    <div class={`person ${hueOf(role)}`}>
      <b>{agent}</b>
      <dl>
        <dt>persona</dt>
        <dd>{person?.persona || '–'}</dd>
        <dt>goal</dt>
        <dd>{person?.goal || '–'}</dd>
        <dt>secret</dt>
        <dd>{person?.secret || '–'}</dd>
      </dl>
    </div>
  );
}

function Utterances({
  run,
  talk,
  turn,
  words,
  speaking,
  tinted,
}: Pick<TalkProps, 'run' | 'turn' | 'words' | 'speaking'> & { talk: EpisodeView; tinted: Tinted }) {
  const list = useRef<HTMLOListElement>(null);
  const named = useRef<HTMLLIElement>(null);
  const { isBehind, goToEnd } = useReadingPlace({
    list,
    named,
    turn,
    count: words.length,
    size: words.length + (speaking?.text.length ?? 0),
    isOpen: isSpoken(run, talk),
  });
  return (
    <>
      <ol class="bubbles" ref={list} tabIndex={0} aria-label="Utterances">
        {words.map((one) => (
          <Bubble
            key={one.turn}
            run={run.run}
            said={one}
            talk={talk}
            tinted={tinted}
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
      {isBehind && (
        <button type="button" class="to-end" onClick={goToEnd}>
          Latest words ↓
        </button>
      )}
    </>
  );
}
