/**
 * Are the recorded controls of steps what they should be? They stand in episodes that were planned with one, and cover
 * the words that the same agent heard, from the first on: a crash may cut one short.
 */
import type { Origin } from '../analyzer/ingest/episode-index.ts';
import type { RunEvent } from '../protocol/nats-messages.ts';
import type { DataMessage } from '../protocol/stream/frames.ts';

export interface ControlReport {
  /** Heard turns that were read behind another history as well, to their end, and heard turns that were not. */
  read: number;
  unread: number;
  faults: string[];
}

export interface RecordedControls {
  take(origin: Pick<Origin, 'stream' | 'epoch'>, message: DataMessage): void;
  /** Undefined where no episode was planned with a control and none is there. */
  report(events: readonly RunEvent[]): ControlReport | undefined;
}

interface Turn {
  stream: string;
  episode: string;
  turn: number;
  /** Where the steps begin and end, in bytes of the words. */
  heard: [start: number, end: number][];
  control: [start: number, end: number][];
}

export function createRecordedControls(): RecordedControls {
  const turns = new Map<string, Turn>();
  return {
    take: ({ stream, epoch }, message) => {
      if (message.type !== 'steps' || (message.role !== 'listen' && message.role !== 'control')) return;
      const { episode, turn, bytes } = message;
      const key = `${stream} ${epoch} ${episode} ${turn}`;
      const known = turns.get(key) ?? { stream, episode, turn, heard: [], control: [] };
      turns.set(key, known);
      const side = message.role === 'control' ? 'control' : 'heard';
      const from = bytes[0]?.[0] ?? 0;
      known[side] = [...known[side].filter(([start]) => start < from), ...bytes];
    },
    report: (events) => {
      const planned = new Set<string>();
      for (const event of events)
        if (event.type === 'episode-started' && event.control !== undefined) planned.add(event.episode);
      const read = [...turns.values()].filter(({ control }) => control.length > 0);
      if (planned.size === 0 && read.length === 0) return undefined;
      const whole = read.filter(({ heard, control }) => heard.length === control.length).length;
      const due = [...turns.values()].filter(({ episode }) => planned.has(episode)).length;
      const faults = read.flatMap((turn) => {
        const why = faultOf(turn, planned);
        return why === undefined ? [] : [`turn ${turn.turn} of ${turn.episode}: ${turn.stream} ${why}`];
      });
      return { read: whole, unread: due - whole, faults };
    },
  };
}

function faultOf({ episode, heard, control }: Turn, planned: ReadonlySet<string>): string | undefined {
  if (!planned.has(episode)) return 'has steps of role control, and the episode was planned without';
  const same = control.every(([start, end], at) => heard[at]?.[0] === start && heard[at][1] === end);
  return same ? undefined : 'has steps of role control for other words than it heard';
}
