/**
 * Checks for each line of a transcript that the agent had the turn, by the events of the run and the same rule
 * that agents and coordinator use. Recordings of protocol 1 have no order between events and utterances; there
 * an agent must have had the role of the turn at some time.
 */
import type { RunEvent, Utterance } from '../protocol/nats-messages.ts';
import { floorsAfter, floorsWith, NO_FLOORS, turnFault } from '../protocol/turn-order.ts';

/** A line of `events.jsonl` or `transcript.jsonl`; `seq` is its place in the run's stream. */
export type Placed<T> = T & { seq?: number | undefined };
export type Spoken = Placed<Pick<Utterance, 'episode' | 'turn' | 'agent' | 'finish'>>;

/** @returns a sentence for each utterance by an agent that did not have the turn */
export function checkSpeakers(events: readonly Placed<RunEvent>[], spoken: readonly Spoken[]): string[] {
  const isPlaced = [...events, ...spoken].every(({ seq }) => seq !== undefined);
  return isPlaced ? checkInOrder(events, spoken) : checkByRole(events, spoken);
}

function checkInOrder(events: readonly Placed<RunEvent>[], spoken: readonly Spoken[]): string[] {
  const lines = [...events, ...spoken].toSorted((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
  let floors = NO_FLOORS;
  return lines.flatMap((line) => {
    if ('type' in line) {
      floors = floorsAfter(floors, line);
      return [];
    }
    const why = turnFault(floors.get(line.episode), line);
    if (why !== undefined) return [faultOf(line, why)];
    floors = floorsWith(floors, line);
    return [];
  });
}

function checkByRole(events: readonly RunEvent[], spoken: readonly Spoken[]): string[] {
  const roles = new Map<string, Set<string>[]>();
  for (const event of events) {
    if (event.type === 'episode-started')
      roles.set(
        event.episode,
        event.order.map((agent) => new Set([agent])),
      );
    if (event.type === 'episode-taken-over') roles.get(event.episode)?.[event.role]?.add(event.agent);
  }
  return spoken.flatMap((line) => {
    const had = roles.get(line.episode);
    const role = had && line.turn % had.length;
    if (role === undefined || had?.[role]?.has(line.agent)) return [];
    return [faultOf(line, `agent "${line.agent}" never had role ${role} of the episode`)];
  });
}

const faultOf = ({ episode, turn }: Spoken, why: string): string => `turn ${turn} of ${episode}: ${why}`;
