/**
 * Recomputes published step scores: the frames that a line of `scores.jsonl` names are read from the recording,
 * aligned and measured. Only the positions of the frames are kept in memory.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordedMessage } from '../journal/read-recording.ts';
import { decodeMessage } from '../protocol/stream/codec.ts';
import type { StepsFrame } from '../protocol/stream/frames.ts';
import type { LinearAlgebra } from '../numeric/linear-algebra.ts';
import type { Group } from '../analyzer/ingest/episode-index.ts';
import {
  addTurn,
  createDyadSteps,
  fullStepScore,
  quickStepScore,
  type DyadSteps,
  type ScoreTools,
} from '../analyzer/steps/dyad-steps.ts';
import { addSteps, type TurnSteps, type StepLayers } from '../analyzer/steps/turn-steps.ts';
import { alignControl, alignSides, type ControlledSteps } from '../analyzer/steps/step-index.ts';
import { parseStepMeasures } from '../analyzer/steps/step-measures.ts';
import { figureRecords, type StepFigureRecord, type StepRecord } from '../analyzer/steps/step-record.ts';
import { replayFields } from './replay-fields.ts';

/** `STREAM EPOCH EPISODE TURN`, of a control with ` control` behind → its steps frames. */
export type StepIndex = Map<string, { seq: number; at: RecordedMessage['at'] }[]>;

export function indexSteps(index: StepIndex, { stream, epoch, message, at }: RecordedMessage): void {
  if (message.type !== 'steps') return;
  const what = message.role === 'control' ? CONTROL : '';
  const key = `${stream} ${epoch} ${message.episode} ${message.turn}${what}`;
  const places = index.get(key) ?? [];
  index.set(key, places);
  places.push({ seq: message.seq, at });
}

const CONTROL = ' control';

export interface StepReplay {
  folder: string;
  index: StepIndex;
  group: Group | undefined;
  algebra: LinearAlgebra;
}

/** What differs, as a sentence; undefined if nothing does. */
export async function replaySteps(record: StepRecord, from: StepReplay): Promise<string | undefined> {
  const name = `steps of ${record.episode} in ${record.group}, ${record.steps} steps`;
  const dyad = from.group && (await dyadOf(record, { ...from, group: from.group }));
  if (!dyad) return `${name}: the recording lacks frames that it was computed from`;
  const again = await scoreAgain(dyad, record, from.algebra);
  if (again.steps !== record.steps || again.seed !== record.seed)
    return `${name}: the recording gives ${again.steps} steps`;
  const labels = Object.keys(record.figures);
  const published = Object.fromEntries(labels.map((label) => [label, withoutP(record.figures[label])]));
  const figures = { again: figureRecords(again.figures), published };
  const difference = replayFields(labels, figures);
  return difference && `${name}: ${difference}`;
}

/** Earlier versions wrote a p-value against shifts of the listener, which is no evidence of coupling. */
function withoutP(
  figure: (StepFigureRecord & { pValue?: number }) | undefined,
): StepFigureRecord | undefined {
  if (!figure) return undefined;
  const { pValue: _, ...rest } = figure;
  return rest;
}

function scoreAgain(dyad: DyadSteps, { run, figures }: StepRecord, algebra: LinearAlgebra) {
  const measures = parseStepMeasures(Object.keys(figures).join(','));
  const tools: ScoreTools = {
    run,
    measures,
    algebra,
    handleMessages: () => Promise.resolve(),
    nowMs: () => 0,
  };
  const quick = Object.values(figures).every(({ nullMean }) => nullMean === undefined);
  return quick ? quickStepScore(dyad, tools) : fullStepScore(dyad, tools);
}

async function dyadOf(
  { episode, scenario, rows, controlRows = {} }: StepRecord,
  from: StepReplay & { group: Group },
): Promise<DyadSteps | undefined> {
  const place = { group: from.group, episode, scenario };
  const dyad = createDyadSteps(place);
  const turns = new Set([...Object.keys(rows), ...Object.keys(controlRows)].map(Number));
  for (const turn of [...turns].sort((a, b) => a - b)) {
    const [speaker, listener, steps] = rows[turn] ?? [];
    const controlled = controlRows[turn];
    const sideOf = (last: string | undefined, what = ''): Promise<TurnSteps | undefined> =>
      last === undefined ? Promise.resolve(undefined) : readSide(from, { episode, turn, last, what });
    const a = await sideOf(speaker ?? controlled?.[0]);
    const b = await sideOf(listener ?? controlled?.[1]);
    const c = await sideOf(controlled?.[2], CONTROL);
    if (!a || !b || (controlled && !c)) return undefined;
    const aligned = alignSides(a, b);
    const control = c ? lastControlled(alignControl(a, b, c), controlled?.[3] ?? 0) : undefined;
    const kept = { a: lastSteps(aligned.a, steps ?? 0), b: lastSteps(aligned.b, steps ?? 0) };
    await addTurn(dyad, { ...place, turn, ...aligned, ...kept, control }, from.algebra);
  }
  return dyad;
}

function lastControlled(found: ControlledSteps | undefined, steps: number): ControlledSteps | undefined {
  if (!found) return undefined;
  const { last, a, b, c } = found;
  return { last, a: lastSteps(a, steps), b: lastSteps(b, steps), c: lastSteps(c, steps) };
}

function lastSteps(layers: StepLayers, steps: number): StepLayers {
  return new Map(
    [...layers].map(([layer, { rows, cols, data }]) => {
      const kept = Math.min(rows, steps);
      return [layer, { rows: kept, cols, data: data.subarray((rows - kept) * cols) }];
    }),
  );
}

/**
 * The steps of one side up to its last frame in use (`STREAM EPOCH SEQ`); undefined if that frame is not
 * recorded.
 */
async function readSide(
  { folder, index }: StepReplay,
  of: { episode: string; turn: number; last: string; what: string },
): Promise<TurnSteps | undefined> {
  const [stream = '', epoch = '', lastSeq = ''] = of.last.split(' ');
  const places = index.get(`${stream} ${epoch} ${of.episode} ${of.turn}${of.what}`) ?? [];
  let side: TurnSteps | undefined;
  for (const { seq, at } of places.toSorted((a, b) => a.seq - b.seq)) {
    if (seq > Number(lastSeq)) break;
    side = addSteps(side, await readFrame(folder, at), { stream, epoch: Number(epoch), seq });
  }
  return side?.last === of.last ? side : undefined;
}

async function readFrame(
  folder: string,
  { file, offset, length }: RecordedMessage['at'],
): Promise<StepsFrame> {
  const handle = await open(join(folder, file));
  try {
    const { buffer } = await handle.read(new Uint8Array(length), 0, length, offset);
    return decodeMessage(buffer) as StepsFrame;
  } finally {
    await handle.close();
  }
}
