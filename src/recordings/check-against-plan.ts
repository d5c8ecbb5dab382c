/**
 * Compares a run folder with its plan. `run.json` and the events say which episodes there are and how many
 * turns each had. The transcript must have every turn once, and every recorded turn must be in it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRunFile } from '../process/run-folder/run-file.ts';
import type { Placed } from './check-speakers.ts';
import { eventSchema, parseMessage, placeSchema, type RunEvent } from '../protocol/nats-messages.ts';

export interface PlannedTurns {
  /** EPISODE/TURN of every utterance of the transcript, with repetitions. */
  spoken: readonly string[];
  /** EPISODE/TURN of every recorded turn, with repetitions. */
  recorded: Iterable<string>;
  events: RunEvents;
}

export interface RunEvents {
  events: Placed<RunEvent>[];
  /** Lines that cannot be read, one sentence each. */
  faults: string[];
}

/** One sentence for each thing that is missing or superfluous; empty if the folder is as planned and said. */
export async function checkAgainstPlan(folder: string, turns: PlannedTurns): Promise<string[]> {
  const { events, faults } = turns.events;
  return [
    ...(await planFaults(folder, events)),
    ...faults,
    ...endFaults(events),
    ...turnFaults(turns, finishedEpisodes(events)),
  ];
}

/** Reads `events.jsonl`. A cut or damaged line is a fault; the others are read all the same. */
export async function readEvents(folder: string): Promise<RunEvents> {
  const text = await readFile(join(folder, 'events.jsonl'), 'utf8').catch(() => undefined);
  if (text === undefined) return { events: [], faults: ['events.jsonl is not there'] };
  const events: Placed<RunEvent>[] = [];
  const faults: string[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (line === '') continue;
    try {
      const about = { code: 'RUN_INVALID', what: 'An event' } as const;
      events.push({ ...parseMessage(eventSchema, line, about), ...parseMessage(placeSchema, line, about) });
    } catch {
      faults.push(`events.jsonl: line ${at + 1} is no event of a run`);
    }
  }
  return { events, faults };
}

async function planFaults(folder: string, events: readonly RunEvent[]): Promise<string[]> {
  try {
    const facts = await readRunFile(folder);
    if (!facts) return ['run.json is not there: what was planned is not known'];
    const started = events.find((event) => event.type === 'run-started');
    if (!started) return ['the events do not say that the run was started'];
    return started.run === facts.run
      ? []
      : [`run.json is of the run ${facts.run}, the events are of ${started.run}`];
  } catch {
    return ['run.json cannot be read: what was planned is not known'];
  }
}

interface Finished {
  episode: string;
  turns: number;
}

const finishedEpisodes = (events: readonly RunEvent[]): Finished[] =>
  events.flatMap((event) => (event.type === 'episode-finished' ? [event] : []));

/** Faults of the run's end: it is missing, or the numbers of episodes and turns are not as planned. */
function endFaults(events: readonly RunEvent[]): string[] {
  const started = events.find((event) => event.type === 'run-started');
  const ended = events.findLast((event) => event.type === 'run-finished');
  const episodes = finishedEpisodes(events);
  const turns = episodes.reduce((sum, episode) => sum + episode.turns, 0);
  if (!started) return [];
  if (!ended)
    return [`the run has not ended: ${episodes.length} of ${started.episodes} episodes are finished`];
  const faults: string[] = [];
  if (ended.episodes !== episodes.length || ended.episodes !== started.episodes)
    faults.push(
      `the events finish ${episodes.length} episodes, of ${started.episodes} planned and ${ended.episodes} at the end of the run`,
    );
  if (ended.turns !== turns)
    faults.push(`the events of the episodes have ${turns} turns, the end of the run has ${ended.turns}`);
  return faults;
}

function turnFaults({ spoken, recorded }: PlannedTurns, episodes: readonly Finished[]): string[] {
  const counts = new Map<string, number>();
  for (const turn of spoken) counts.set(turn, (counts.get(turn) ?? 0) + 1);
  const owed = episodes.flatMap(({ episode, turns }) =>
    Array.from({ length: turns }, (_, turn) => `${episode}/${turn}`),
  );
  const known = new Set(owed);
  const lengths = new Map(episodes.map(({ episode, turns }) => [episode, turns]));
  const sentence = (place: string, what: string): string => {
    const at = place.lastIndexOf('/');
    return `turn ${place.slice(at + 1)} of ${place.slice(0, at)} ${what}`;
  };
  const beyond = [...counts.keys()].filter(
    (turn) => !known.has(turn) && lengths.has(turn.slice(0, turn.lastIndexOf('/'))),
  );
  const silent = [...new Set(recorded)].filter((turn) => !counts.has(turn) && !known.has(turn));
  return [
    ...owed.filter((turn) => !counts.has(turn)).map((turn) => sentence(turn, 'is not in the transcript')),
    ...[...counts]
      .filter(([, n]) => n > 1)
      .map(([turn, n]) => sentence(turn, `is in the transcript ${n} times`)),
    ...beyond.map((turn) => sentence(turn, 'is beyond the end of its episode')),
    ...silent.map((turn) => sentence(turn, 'is recorded, and is not in the transcript')),
  ];
}
