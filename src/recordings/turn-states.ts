/**
 * The states before the first word of every turn, by episode and role, of those who speak: of two frames for a turn
 * the one that counts.
 */
import { placeOf, supersedes, type IndexedTurn } from '../analyzer/ingest/episode-index.ts';
import { readRecording } from '../journal/read-recording.ts';
import { READER_SEATING } from '../protocol/stream/frames.ts';
import { unpackTensor } from '../protocol/stream/tensor.ts';

export interface RoleStates {
  episode: string;
  /** From 0. */
  role: number;
  layers: number;
  dims: number;
  /** [layers, dims] of each turn, in order of the turns. */
  turns: Float32Array[];
}

/** @returns nothing where nothing is recorded, or the recording was removed */
export async function readTurnStates(folder: string): Promise<RoleStates[]> {
  const roles = new Map<string, number>();
  const turns = new Map<string, IndexedTurn<Omit<RoleStates, 'turns'> & { states: Float32Array }>>();
  for await (const { stream, epoch, message } of readRecording(folder)) {
    if (message.type === 'episode') roles.set(`${stream}/${epoch}/${message.episode}`, message.role);
    if (message.type !== 'turn' || (message.seating ?? 0) >= READER_SEATING) continue;
    const { episode, shape, dtype, data, seq } = message;
    const role = roles.get(`${stream}/${epoch}/${episode}`);
    if (role === undefined) continue;
    const [, layers, dims] = shape;
    const payload = { episode, role, layers, dims, states: unpackTensor(dtype, data) };
    const turn = { ...placeOf(message, { stream, epoch, seq }), payload };
    const key = `${episode}/${turn.turn}`;
    const known = turns.get(key);
    if (!known || supersedes(turn, known)) turns.set(key, turn);
  }
  return byRole([...turns.values()]);
}

function byRole(
  turns: readonly IndexedTurn<Omit<RoleStates, 'turns'> & { states: Float32Array }>[],
): RoleStates[] {
  const found = new Map<string, RoleStates>();
  for (const { payload } of turns.toSorted((a, b) => a.turn - b.turn)) {
    const { states, ...about } = payload;
    const key = `${about.episode}/${about.role}`;
    const known = found.get(key) ?? { ...about, turns: [] };
    found.set(key, known);
    known.turns.push(states);
  }
  return [...found.values()];
}
