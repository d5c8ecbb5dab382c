/** The card of a model: what its run of the benchmark's protocol came to. */
import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { readOutcomes } from '../process/run-folder/outcomes-file.ts';
import { readTalk, type RunTalk } from '../process/run-folder/read-talk.ts';
import { EntrainError } from '../protocol/errors.ts';
import { readScores } from '../recordings/read-scores.ts';
import { outcomeMeans, type OutcomeMean } from '../report/outcome-means.ts';
import { figuresOf, type DirectionFigures } from './direction-figures.ts';
import { OWN } from './play.ts';
import { talkQuality, type TalkQuality } from './talk-quality.ts';

export interface CardModel {
  name: string;
  sha256: string;
  layers: number;
  dims: number;
}

export interface Card {
  protocol: { name: string; sha256: string; seed: number };
  model: CardModel;
  partner: CardModel;
  /** The model's states predict its partner's: by condition and place in the speaking order. */
  speaker: DirectionFigures[];
  /** Its states are predicted by its partner's. */
  listener: DirectionFigures[];
  outcomes: OutcomeMean[];
  talk: TalkQuality[];
  /** What is not the same twice, not even on one machine. */
  cost: { seconds: number; tokens: number };
  /** Figures are the same for the same machine, versions and thread count. */
  made: { version: string; node: string; platform: string };
}

/** @throws EntrainError `RUN_INVALID` where the run has no agent `own` with a partner */
export async function makeCard(folder: string): Promise<Card> {
  const talk = await readTalk(folder);
  const { facts, episodes } = talk;
  const own = facts.agents[OWN];
  const partner = Object.entries(facts.agents).find(([agent]) => agent !== OWN)?.[1];
  if (!own || !partner)
    throw new EntrainError(
      'RUN_INVALID',
      `${folder} is no run of a benchmark: expected the agents "${OWN}" and its partner.`,
    );
  // A protocol that is too small for any score leaves no file.
  const hasScores = await access(join(folder, 'scores.jsonl')).then(
    () => true,
    () => false,
  );
  const lines = hasScores ? (await readScores(folder)).lines : [];
  const of = (source: CardModel, target: CardModel): DirectionFigures[] =>
    figuresOf(lines, { source: source.sha256, target: target.sha256 });
  return {
    protocol: {
      name: facts.study.name,
      sha256: createHash('sha256').update(JSON.stringify(facts.study)).digest('hex'),
      seed: facts.study.seed,
    },
    model: modelOf(own),
    partner: modelOf(partner),
    speaker: of(own, partner),
    listener: of(partner, own),
    outcomes: outcomeMeans(talk, await readOutcomes(folder)),
    talk: talkQuality(episodes, OWN),
    cost: costOf(talk),
    made: { version: facts.version, node: facts.node, platform: facts.platform },
  };
}

const modelOf = ({ name, sha256, layers, dims }: CardModel): CardModel => ({ name, sha256, layers, dims });

function costOf({ facts, episodes }: RunTalk): Card['cost'] {
  const end = Math.max(facts.startedAtMs, ...episodes.map(({ finishedAtMs = 0 }) => finishedAtMs));
  const turns = episodes.flatMap((episode) => episode.turns);
  return {
    seconds: Math.round((end - facts.startedAtMs) / 1000),
    tokens: turns.reduce((sum, { tokens }) => sum + tokens, 0),
  };
}
