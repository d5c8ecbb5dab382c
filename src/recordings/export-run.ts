/**
 * Exports a recording. `npy`: the folders that the paper's scripts read, one array of turn states [layers,
 * dims] per turn. `safetensors`: one file per episode, with the names of the axes in its metadata.
 */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../process/make-folder.ts';
import { readRecording } from '../journal/read-recording.ts';
import type { BranchFrame, EpisodeFrame, StepsFrame, TurnFrame } from '../protocol/stream/frames.ts';
import { unpackTensor } from '../protocol/stream/tensor.ts';
import { placeOf, supersedes, type IndexedTurn } from '../analyzer/ingest/episode-index.ts';
import { beginVerification, type Verification, type VerifyReport } from './verify-run.ts';
import { npyBytes } from './formats/npy.ts';
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
  let files = 0;
  let frames = 0;
  for (const episode of episodes.values()) {
    const written = format === 'npy' ? paperFiles(episode) : [episodeFile(episode)];
    for (const { path, bytes } of written) {
      await makeFolder(dirname(join(out, path)));
      await writeFile(join(out, path), bytes);
    }
    files += written.length;
    frames += episode.turns.size + (format === 'npy' ? 0 : episode.steps.length + episode.branches.size);
  }
  return { files, frames, verified: await verification.report() };
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

/**
 * `<m1>_<m2>/<source>/episode_<id>/t0.7_seed<s>/agent_<1|2>_turn_<t>/states.npy`. The paper's scripts look for
 * `t0.7`; it does not give the temperature of the run.
 */
function paperFiles({ about, turns }: Collected): { path: string; bytes: Uint8Array }[] {
  const models = about.models.map(({ name }) => fileName(name)).join('_');
  const episode = join(
    'sotopia_results',
    models,
    fileName(about.scenario),
    `episode_${fileName(about.episode)}`,
    `t0.7_seed${about.seed}`,
  );
  return [...turns.values()].map(({ payload: { role, frame } }) => {
    const [, layers, dims] = frame.shape;
    const path = join(episode, `agent_${role + 1}_turn_${frame.turn}`, 'states.npy');
    return { path, bytes: npyBytes(unpackTensor(frame.dtype, frame.data), [layers, dims]) };
  });
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

/** Makes a name a file name. Names come from study files and models, and must not lead out of the folder. */
function fileName(name: string): string {
  const safe = name.replaceAll(/[^\w.-]/g, '-');
  return /^\.*$/.test(safe) ? `-${safe}` : safe;
}
