/**
 * Exports a recording. `npy`: the folders that the paper's scripts read (formats/paper-tree.ts), one array of turn
 * states [layers, 1, dims] per turn, and a manifest of them with the words of each turn. `safetensors`: one file per
 * episode, with the names of the axes in its metadata.
 */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../process/make-folder.ts';
import { readLines } from '../process/run-folder/read-lines.ts';
import { csvText, type Cell } from '../tables/csv.ts';
import { parseMessage, utteranceSchema } from '../protocol/nats-messages.ts';
import { readRecording } from '../journal/read-recording.ts';
import type { BranchFrame, EpisodeFrame, StepsFrame, TurnFrame } from '../protocol/stream/frames.ts';
import { unpackTensor } from '../protocol/stream/tensor.ts';
import { placeOf, supersedes, type IndexedTurn } from '../analyzer/ingest/episode-index.ts';
import { beginVerification, type Verification, type VerifyReport } from './verify-run.ts';
import { npyBytes } from './formats/npy.ts';
import { fileName, paperPlaces, type PaperPlace } from './formats/paper-tree.ts';
import { safetensorsBytes, type NamedTensor } from './formats/safetensors.ts';

export type ExportFormat = 'npy' | 'safetensors';

/**
 * Frames of one episode by role and turn. Of two frames for one turn, the one that counts in scores is taken.
 */
interface Collected {
  about: EpisodeFrame;
  turns: Map<number, IndexedTurn<{ role: number; frame: TurnFrame }>>;
  steps: { role: number; frame: StepsFrame }[];
  /** By the name of their tensor; of two the one of the later seating. */
  branches: Map<string, BranchFrame>;
}

export async function exportRun(
  folder: string,
  { format, out }: { format: ExportFormat; out: string },
): Promise<{ files: number; frames: number; verified: VerifyReport }> {
  const verification = beginVerification(folder);
  const episodes = await collect(folder, verification);
  const written = format === 'npy' ? await writePaperTree(folder, { episodes, out }) : undefined;
  let files = written ?? 0;
  let frames = 0;
  for (const episode of episodes.values()) {
    if (format === 'safetensors') {
      await writeInto(out, episodeFile(episode));
      files += 1;
    }
    frames += episode.turns.size + (format === 'npy' ? 0 : episode.steps.length + episode.branches.size);
  }
  return { files, frames, verified: await verification.report() };
}

interface OutputFile {
  path: string;
  bytes: Uint8Array | string;
}

async function writeInto(out: string, { path, bytes }: OutputFile): Promise<void> {
  await makeFolder(dirname(join(out, path)));
  // States tell of the words, so the files are as private as the recording.
  await writeFile(join(out, path), bytes, { mode: 0o600 });
}

/** Reads the recording once, both for the export and for the check that it is whole. */
async function collect(folder: string, verification: Verification): Promise<Map<string, Collected>> {
  const episodes = new Map<string, Collected>();
  /** Role of a stream in an episode, by stream, epoch and episode. */
  const roles = new Map<string, number>();
  for await (const recorded of readRecording(folder, verification)) {
    verification.take(recorded);
    const { stream, epoch, message } = recorded;
    if (message.type === 'gap') continue;
    const place = `${stream}/${epoch}/${message.episode}`;
    if (message.type === 'episode') {
      roles.set(place, message.role);
      if (!episodes.has(message.episode))
        episodes.set(message.episode, { about: message, turns: new Map(), steps: [], branches: new Map() });
      continue;
    }
    const episode = episodes.get(message.episode);
    const role = roles.get(place);
    if (!episode || role === undefined) continue;
    if (message.type === 'steps') episode.steps.push({ role, frame: message });
    else if (message.type === 'branch') takeBranch(episode, role, message);
    else if (message.type === 'turn')
      takeTurn(episode, {
        ...placeOf(message, { stream, epoch, seq: message.seq }),
        payload: { role, frame: message },
      });
  }
  return episodes;
}

/** Whoever could not branch sent a frame without states. */
function takeBranch({ branches }: Collected, role: number, frame: BranchFrame): void {
  const { turn, kind, k, state, layer, size, donor, seating = 0 } = frame;
  if (state === 'skipped') return;
  const moved = [layer, size, donor].flatMap((part) => (part === undefined ? [] : [`${part}`]));
  const name = [`agent_${role + 1}`, `turn_${turn}`, kind, ...moved, `${k}`, state].join('.');
  if ((branches.get(name)?.seating ?? -1) <= seating) branches.set(name, { ...frame, seating });
}

function takeTurn({ turns }: Collected, turn: IndexedTurn<{ role: number; frame: TurnFrame }>): void {
  const known = turns.get(turn.turn);
  if (!known || supersedes(turn, known)) turns.set(turn.turn, turn);
}

const wordsSchema = utteranceSchema.pick({ episode: true, turn: true, text: true });
const MANIFEST = [
  'condition',
  'scenario',
  'seed',
  'turn',
  'text',
  'unit',
  'episode',
  'agent',
  'model',
  'path',
] as const;

/** @returns number of files */
async function writePaperTree(
  folder: string,
  { episodes, out }: { episodes: ReadonlyMap<string, Collected>; out: string },
): Promise<number> {
  const places = paperPlaces([...episodes.values()].map(({ about }) => about));
  const said = await wordsOf(folder);
  const rows: Cell[][] = [];
  for (const [id, episode] of [...episodes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const place = places.get(id) as PaperPlace;
    const { condition, scenario, models, order } = episode.about;
    await makeFolder(join(out, place.listed));
    const rowOf = (role: number, turn: number, path: string): Cell[] => [
      condition,
      scenario,
      place.seed,
      turn,
      said.get(`${id} ${turn}`),
      place.unit,
      id,
      order[role],
      models[role]?.name,
      path,
    ];
    for (const { role, frame } of [...episode.turns.values()].map(({ payload }) => payload).sort(byTurn)) {
      const { turn, shape, dtype, data, reader } = frame;
      const states = { [place.folder]: unpackTensor(dtype, data) };
      if (reader) states[place.readFolder] = unpackTensor('f32', reader);
      for (const [under, values] of Object.entries(states)) {
        const path = join(under, `agent_${role + 1}_turn_${turn}`, 'states.npy');
        await writeInto(out, { path, bytes: npyBytes(values, [shape[1], 1, shape[2]]) });
        rows.push(rowOf(role, turn, path));
      }
    }
  }
  await writeInto(out, { path: 'manifest.csv', bytes: csvText(MANIFEST, rows) });
  return rows.length + 1;
}

const byTurn = (a: { frame: TurnFrame }, b: { frame: TurnFrame }): number => a.frame.turn - b.frame.turn;

/** The words of each turn, by episode and turn; none where there is no transcript. */
async function wordsOf(folder: string): Promise<Map<string, string>> {
  const about = { code: 'RUN_INVALID', what: 'It' } as const;
  const lines = await readLines(join(folder, 'transcript.jsonl'), (line) =>
    parseMessage(wordsSchema, line, about),
  );
  return new Map((lines ?? []).map(({ episode, turn, text }) => [`${episode} ${turn}`, text]));
}

function episodeFile({ about, turns, steps, branches }: Collected): { path: string; bytes: Uint8Array } {
  const tensors: NamedTensor[] = [...turns.values()].flatMap(({ payload: { role, frame } }) => {
    const place = `agent_${role + 1}.turn_${frame.turn}`;
    const [, layers, dims] = frame.shape;
    return [
      { name: `${place}.states`, dtype: frame.dtype, shape: [layers, dims], data: frame.data },
      { name: `${place}.text`, dtype: 'f32' as const, shape: [frame.text.length / 4], data: frame.text },
      { name: `${place}.words`, dtype: 'f32' as const, shape: [dims], data: frame.words },
    ];
  });
  for (const [i, { role, frame }] of steps.entries()) {
    const name = `agent_${role + 1}.turn_${frame.turn}.${frame.role}.step_${frame.step0}.${i}`;
    tensors.push({ name, dtype: frame.dtype, shape: frame.shape, data: frame.data });
  }
  for (const [name, { dtype, shape, data, text }] of branches) {
    const [, layers, dims] = shape;
    tensors.push({ name, dtype, shape: [layers, dims], data });
    if (text) tensors.push({ name: `${name}.text`, dtype: 'f32', shape: [text.length / 4], data: text });
  }
  const { run, episode, scenario, pair, condition, seed, order, models } = about;
  const metadata = {
    run,
    episode,
    scenario,
    pair,
    condition,
    seed: String(seed),
    order: order.join(','),
    models: JSON.stringify(models),
    axes: JSON.stringify({
      states: ['layer', 'dim'],
      text: ['feature'],
      words: ['dim'],
      steps: ['step', 'layer', 'dim'],
      alternative: ['layer', 'dim'],
    }),
    layers: JSON.stringify([...turns.values()][0]?.payload.frame.layers ?? []),
  };
  return { path: `${fileName(episode)}.safetensors`, bytes: safetensorsBytes(tensors, metadata) };
}
