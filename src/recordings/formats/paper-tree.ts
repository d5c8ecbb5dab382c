/**
 * The folders that the scripts of the paper read without a change (zzn-nzz/LM_neural_synchrony, commit 49fe97e,
 * `affine_transformation.py` and `utils.py`), one tree per condition:
 *
 *   CONDITION/sotopia_results/MODELS/RUN/episode_UNIT/t0.7_seedS/agent_A_turn_T/states.npy    [layers, 1, dims]
 *   CONDITION/sotopia_results/INDEX/RUN/episode_UNIT/
 *   paper-reader/sotopia_results/MODELS_anotherread/…    the same, states of the third person
 *
 * A unit is a scenario with its personas and its pair of agents, numbered from 0; its episodes are the seeds 0, 1, …,
 * of which the scripts read 0 to 4. They look for `t0.7` whatever the temperature was, list the units in the folder
 * INDEX, and take the names of MODELS apart at `_` and by model family.
 */
import { join } from 'node:path';
import { groupBy } from '../../synchrony/group-by.ts';

/** An episode, as far as its place in the tree goes. */
export interface PaperEpisode {
  run: string;
  episode: string;
  scenario: string;
  pair: string;
  condition: string;
  models: readonly { name: string }[];
}

export interface PaperPlace {
  /** Folder of the episode. */
  folder: string;
  /** Folder of the episode for the states of the third person. */
  readFolder: string;
  /** The unit's folder in the index of its condition. */
  listed: string;
  unit: number;
  seed: number;
}

/** The folder in which the scripts list modes and units, for any models. */
const INDEX = 'Llama-3-8B-Instruct_None_0_Llama-2-7B-Chat_None_0';

/** The place of every episode, by its id; ids are in the order of the plan. */
export function paperPlaces(episodes: readonly PaperEpisode[]): Map<string, PaperPlace> {
  const unitOf = ({ scenario, pair }: PaperEpisode): string => `${scenario} ${pair}`;
  const units = [...new Set(episodes.map(unitOf))].sort();
  const inOrder = episodes.toSorted((a, b) => (a.episode < b.episode ? -1 : 1));
  const places = new Map<string, PaperPlace>();
  const alike = groupBy(inOrder, (one) => [one.condition, modelsFolder(one), unitOf(one)].join('\n'));
  for (const same of alike.values())
    for (const [seed, one] of same.entries()) {
      const unit = units.indexOf(unitOf(one));
      const results = join(fileName(one.condition), 'sotopia_results');
      const own = join(fileName(one.run), `episode_${unit}`);
      const folderOf = (models: string): string => join(results, models, own, `t0.7_seed${seed}`);
      const folder = folderOf(modelsFolder(one));
      const readFolder = folderOf(`${modelsFolder(one)}_anotherread`);
      places.set(one.episode, { folder, readFolder, listed: join(results, INDEX, own), unit, seed });
    }
  return places;
}

const modelsFolder = ({ models }: PaperEpisode): string =>
  models.map(({ name }) => `${paperModelName(name)}_None_0`).join('_');

/** A model's name that the scripts can take apart: they know `Llama-…` and `Mistral-7B-Instruct-…` alone. */
export function paperModelName(name: string): string {
  const safe = fileName(name).replaceAll('_', '-');
  if (/^(Llama-(?!.*(Llama|Mistral))|Mistral-7B-Instruct-(?!.*(Llama|Mistral)))/.test(safe)) return safe;
  return `Llama-${safe.replaceAll('Llama', 'llama').replaceAll('Mistral', 'mistral')}`;
}

/** Makes a name a file name. Names come from study files and models, and must not lead out of the folder. */
export function fileName(name: string): string {
  const safe = name.replaceAll(/[^\w.-]/g, '-');
  return /^\.*$/.test(safe) ? `-${safe}` : safe;
}
