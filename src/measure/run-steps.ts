/**
 * `entrain measure MEASURE --run NAME` for measures between two aligned streams. With steps in the recording, the rows
 * are the tokens that speaker and listener have both read, as in the analyzer, dyad by dyad; without, the turns: A's
 * state at a turn with B's next one, in the order of episodes and turns. Steps that the listener has read behind
 * another history as well give the difference to these; without, steps have no p-value, since whoever reads the same
 * words goes together.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { readRecording, type RecordedMessage } from '../journal/read-recording.ts';
import { EntrainError } from '../protocol/errors.ts';
import { decodeMessage } from '../protocol/stream/codec.ts';
import type { DataMessage } from '../protocol/stream/frames.ts';
import type { Matrix } from '../numeric/linear-algebra.ts';
import { zeros } from '../numeric/matrix.ts';
import type { Measure, MeasureOptions } from '../synchrony/measures/measure.ts';
import type { Group } from '../analyzer/ingest/episode-index.ts';
import { selectRows } from '../analyzer/ingest/group-rows.ts';
import { emptyRunRows, takeFrameRows } from '../analyzer/ingest/run-rows.ts';
import { FEWEST_STEPS } from '../analyzer/steps/dyad-steps.ts';
import type { SameWords } from '../analyzer/steps/step-messages.ts';
import { sameWordsReport } from '../analyzer/steps/step-report.ts';
import { createStepIndex, type AlignedTurn } from '../analyzer/steps/step-index.ts';
import type { Progress } from '../process/progress.ts';
import type { Json } from './answers.ts';
import { about, checkRun } from './run-folder.ts';
import { measureBesideNull, type AskedNull } from './surrogate-null.ts';

export interface StepsJob extends Pick<Progress, 'say'> {
  measure: Measure;
  options: MeasureOptions & { asked: AskedNull | undefined };
}

/** Two streams of one dyad and layer, rows aligned. */
interface Streams {
  layer: number;
  a: Matrix;
  b: Matrix;
}

export async function measureRunSteps(folder: string, job: StepsJob): Promise<Json> {
  job.say('reading the recording');
  await checkRun(folder);
  const frames = await placesOf(folder);
  const dyads = frames.steps ? await dyadsByStep(folder, frames.episodes) : await dyadsByTurn(folder);
  if (dyads.length === 0)
    throw new EntrainError(
      'RUN_INVALID',
      `The recording in ${folder} holds no two aligned states: expected episodes in which at least two agents have spoken.`,
    );
  const groups: Json[] = [];
  const keys = [...new Set(dyads.map(({ group }) => group.key))].sort();
  for (const key of keys) {
    const own = dyads.filter(({ group }) => group.key === key);
    job.say(`${own[0]?.group.condition}, ${own[0]?.group.direction}`);
    groups.push(await groupAnswer(own, job));
  }
  return { aligned: frames.steps ? 'steps' : 'turns', groups };
}

interface Dyad {
  group: Group;
  /** Undefined where rows are turns. */
  episode: string | undefined;
  scenario: string;
  streams: Streams[];
  /** The steps that have a control. */
  controlled: (Streams & { c: Matrix })[];
}

/** The mean over dyads of the mean over layers, with each dyad's figures; none for measures that give a matrix. */
async function groupAnswer(dyads: readonly Dyad[], { measure, options }: StepsJob): Promise<Json> {
  const { asked, ...rest } = options;
  const perDyad: Json[] = [];
  const beside: { scenario: string; sameWords?: SameWords }[] = [];
  for (const { episode, scenario, streams, controlled } of dyads) {
    const layers: Json[] = [];
    for (const { layer, a, b } of streams) {
      const { p_value, ...found } = await measureBesideNull({ a, b, measure, options: rest }, asked);
      // Of steps a shift in time is no null of coupling.
      layers.push({
        layer,
        ...found,
        ...(episode === undefined && p_value !== undefined ? { p_value } : {}),
      });
    }
    const sameWords = await sameWordsOf(controlled, { measure, options: rest });
    beside.push({ scenario, ...(sameWords ? { sameWords } : {}) });
    const values = layers.flatMap(({ value }) => (typeof value === 'number' ? [value] : []));
    const rows = streams[0]?.a.rows ?? 0;
    perDyad.push({
      ...(episode === undefined ? {} : { episode }),
      rows,
      value: mean(values),
      ...(sameWords ? { same_words: sameWords } : {}),
      per_layer: layers,
    });
  }
  const values = perDyad.flatMap(({ value }) => (typeof value === 'number' ? [value] : []));
  const { control, excess, ciLow, ciHigh, pValue, ...own } = sameWordsReport(beside);
  const found =
    control === null
      ? {}
      : { ...own, control, excess, ci: ciLow === null ? null : [ciLow, ciHigh], p_value: pValue };
  const answer = { value: mean(values), dyads: values.length, ...found, per_dyad: perDyad };
  return { ...about((dyads[0] as Dyad).group), ...answer };
}

/** The mean over layers with the listener, and with it behind another history; undefined without steps of both. */
async function sameWordsOf(
  layers: Dyad['controlled'],
  { measure, options }: { measure: Measure; options: MeasureOptions },
): Promise<SameWords | undefined> {
  const found: SameWords[] = [];
  for (const { a, b, c } of layers) {
    const [own, other] = [await measure.compute(a, b, options), await measure.compute(a, c, options)];
    if ('value' in own && 'value' in other) found.push({ value: own.value, control: other.value });
  }
  const [value, control] = [mean(found.map((one) => one.value)), mean(found.map((one) => one.control))];
  return value === null || control === null ? undefined : { value, control };
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

type Place = Pick<RecordedMessage, 'stream' | 'epoch' | 'at'>;

/** Where the frames of each episode lie, so that one episode's states are in memory at a time. */
async function placesOf(folder: string): Promise<{ episodes: Map<string, Place[]>; steps: boolean }> {
  const episodes = new Map<string, Place[]>();
  let steps = false;
  for await (const { stream, epoch, at, message } of readRecording(folder)) {
    if (message.type !== 'episode' && message.type !== 'turn' && message.type !== 'steps') continue;
    steps ||= message.type === 'steps';
    const places = episodes.get(message.episode) ?? [];
    episodes.set(message.episode, places);
    places.push({ stream, epoch, at });
  }
  return { episodes, steps };
}

async function dyadsByStep(folder: string, episodes: ReadonlyMap<string, Place[]>): Promise<Dyad[]> {
  const dyads: Dyad[] = [];
  for (const [episode, places] of [...episodes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const index = createStepIndex();
    const turns: AlignedTurn[] = [];
    for (const { stream, epoch, at } of places) {
      const frame = await readFrame(folder, at);
      if (frame.type !== 'episode' && frame.type !== 'turn' && frame.type !== 'steps') continue;
      const origin = { stream, epoch, seq: frame.seq };
      turns.push(...index.take(inputOf(frame, origin)));
    }
    turns.push(...index.finish());
    for (const key of new Set(turns.map(({ group }) => group.key))) {
      const own = turns.filter(({ group }) => group.key === key).sort((a, b) => a.turn - b.turn);
      const streams = joinTurns(own);
      const { group, scenario } = own[0] as AlignedTurn;
      if ((streams[0]?.a.rows ?? 0) >= FEWEST_STEPS)
        dyads.push({ group, episode, scenario, streams, controlled: joinControls(own) });
    }
  }
  return dyads;
}

type StepFrame = Extract<DataMessage, { type: 'episode' | 'turn' | 'steps' }>;

function inputOf(frame: StepFrame, origin: { stream: string; epoch: number; seq: number }) {
  const at = { type: 'frame', run: '', origin } as const;
  return frame.type === 'steps' ? { ...at, frame } : { ...at, frame };
}

/** All turns of a dyad one after the other, layer by layer; turns of another shape than the first are left out. */
function joinTurns(turns: readonly AlignedTurn[]): Streams[] {
  const [first] = turns;
  if (!first) return [];
  return [...first.a.keys()].flatMap((layer) => {
    const width = (of: AlignedTurn['a']): number | undefined => of.get(layer)?.cols;
    const alike = turns.filter(({ a, b }) => width(a) === width(first.a) && width(b) === width(first.b));
    const rows = (side: 'a' | 'b'): Matrix[] => alike.flatMap((turn) => turn[side].get(layer) ?? []);
    const [a, b] = [stacked(rows('a')), stacked(rows('b'))];
    return a.rows > 0 && a.rows === b.rows ? [{ layer, a, b }] : [];
  });
}

/** The steps that have a control, one after the other, layer by layer; none with too few of them. */
function joinControls(turns: readonly AlignedTurn[]): Dyad['controlled'] {
  const all = turns.flatMap((turn) => (turn.control ? [{ ...turn, ...turn.control }] : []));
  const own = joinTurns(all);
  const others = joinTurns(all.map((turn) => ({ ...turn, b: turn.c })));
  return own.flatMap(({ layer, a, b }) => {
    const c = others.find((other) => other.layer === layer)?.b;
    return c?.rows === b.rows && b.rows >= FEWEST_STEPS ? [{ layer, a, b, c }] : [];
  });
}

/** One below the other; all have as many columns. */
function stacked(parts: readonly Matrix[]): Matrix {
  const out = zeros(
    parts.reduce((sum, { rows }) => sum + rows, 0),
    parts[0]?.cols ?? 0,
  );
  let at = 0;
  for (const { data } of parts) {
    out.data.set(data, at);
    at += data.length;
  }
  return out;
}

async function dyadsByTurn(folder: string): Promise<Dyad[]> {
  const run = emptyRunRows();
  for await (const { stream, epoch, message } of readRecording(folder))
    if (message.type === 'episode' || message.type === 'turn')
      takeFrameRows(run, { frame: message, origin: { stream, epoch, seq: message.seq } }, Infinity);
  return [...run.groups.values()].map((rows) => {
    const { source, target } = selectRows(rows, Infinity).pairs;
    const streams = source.flatMap((a, layer) => {
      const b = target[layer];
      return b ? [{ layer: layer + 1, a, b }] : [];
    });
    return { group: rows.group, episode: undefined, scenario: '', streams, controlled: [] };
  });
}

async function readFrame(
  folder: string,
  { file, offset, length }: RecordedMessage['at'],
): Promise<ReturnType<typeof decodeMessage>> {
  const handle = await open(join(folder, file));
  try {
    const { buffer } = await handle.read(new Uint8Array(length), 0, length, offset);
    return decodeMessage(buffer);
  } finally {
    await handle.close();
  }
}
