/** Synchrony and outcome of single episodes: what the question is within models, where none differ. */
import type { TalkEpisode } from '../process/run-folder/read-talk.ts';
import type { Outcome } from '../protocol/outcomes.ts';
import { lastLines, type FigureLine } from './figures.ts';

export interface EpisodePoint {
  outcome: string;
  /** The models in speaking order. */
  models: string;
  scenario: string;
  /** Parts of the episode's turn pairs in the mean R² of the layer map, averaged over its directions. */
  synchrony: number;
  /** Mean over both agents. */
  value: number;
}

interface Of {
  lines: readonly FigureLine[];
  outcomes: readonly Outcome[];
  condition: string;
  modelOf(agent: string): string;
}

export function episodePoints(
  episodes: readonly TalkEpisode[],
  { lines, outcomes, condition, modelOf }: Of,
): EpisodePoint[] {
  const parts = partsOfEpisodes(lines, condition);
  const known = new Map(episodes.map((episode) => [episode.id, episode]));
  const values = new Map<string, Map<string, number[]>>();
  for (const { source, name, episode, value } of outcomes) {
    const outcome = `${source} ${name}`;
    const perEpisode = values.get(outcome) ?? new Map<string, number[]>();
    values.set(outcome, perEpisode.set(episode, [...(perEpisode.get(episode) ?? []), value]));
  }
  return [...values].flatMap(([outcome, perEpisode]) =>
    [...perEpisode].flatMap(([id, own]) => {
      const [episode, found] = [known.get(id), parts.get(id)];
      if (!episode || !found) return [];
      const models = episode.order.map((agent) => modelOf(agent)).join(' ');
      return [{ outcome, models, scenario: episode.scenario, synchrony: meanOf(found), value: meanOf(own) }];
    }),
  );
}

/** Episode → the sum of its parts, a value for each direction. */
function partsOfEpisodes(lines: readonly FigureLine[], condition: string): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const line of lastLines(lines)) {
    if (line.type !== 'beside' || line.condition !== condition || line.provisional === true) continue;
    const turns = Object.entries(line.layerMap?.turns ?? {});
    for (const [episode, parts] of turns) {
      const sum = Object.values(parts).reduce((total, part) => total + part, 0);
      // Parts add up to the mean over the group: times its episodes they are on the scale of R².
      found.set(episode, [...(found.get(episode) ?? []), sum * turns.length]);
    }
  }
  return found;
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
