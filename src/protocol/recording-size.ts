/**
 * The most that a study may take on the analyzer's disk, computed from its own numbers: every turn as long as
 * allowed, and every word heard by all.
 */
import type { AgentModel } from './agent-model.ts';
import { branchesOfLater, countVersions } from './branches.ts';
import { TEXT_FEATURE_DIMS } from './stream/frames.ts';
import { agentsOf, PAPER_READER, type Study } from './study.ts';

/** Upper bound in bytes. */
export interface Expected {
  studyBytes: number;
  /** Bytes per hour if the agents only speak and hear, at `TOKENS_PER_S`. */
  hourBytes: number;
}

/** A high speed for a model of 7 billion parameters on a GPU. */
export const TOKENS_PER_S = 50;
const TEXT_BYTES = TEXT_FEATURE_DIMS * 4;
/** Names, numbers and the record header of a frame. */
const FRAME_BYTES = 512;
/** Tokens that a chat template and another tokenizer may add to the words of a turn. */
const TEMPLATE_TOKENS = 32;

/** Upper bound for the stream of one agent. */
export function expectedOf(study: Study, agent: string, { layers, dims }: AgentModel): Expected {
  const { steps, maxTurns, maxTokens } = study;
  const chosen = steps ? (steps.layers?.filter((layer) => layer <= layers).length ?? layers + 1) : 0;
  const stepBytes = steps ? (chosen * dims * 2 + FRAME_BYTES) / steps.every : 0;
  const readBytes = study.conditions.includes(PAPER_READER) ? layers * dims * 4 : 0;
  const turnBytes = (layers + 1) * dims * 4 + readBytes + TEXT_BYTES + FRAME_BYTES;
  const episodeBytes =
    FRAME_BYTES +
    Math.ceil(maxTurns / 2) * turnBytes +
    maxTurns * (maxTokens + TEMPLATE_TOKENS) * stepBytes * (steps?.control ? 2 : 1) +
    maxTurns * branchBytes(study, { stateBytes: layers * dims * 4, layers });
  const episodes = study.episodes * study.scenarios.length * partsOf(study, agent);
  const hourTokens = TOKENS_PER_S * 3600;
  return {
    studyBytes: Math.ceil(episodes * episodeBytes),
    hourBytes: Math.ceil((episodeBytes / (maxTurns * maxTokens)) * hourTokens),
  };
}

/**
 * Bytes of the branches of one turn, averaged over turns spoken and heard, of which at most every second is spoken:
 * for each version three states of the speaker with text features, and one state of a listener. Which turns branch is
 * random, so a tenth more than the share is counted.
 */
function branchBytes(study: Study, { stateBytes, layers }: { stateBytes: number; layers: number }): number {
  const branches = branchesOfLater(study);
  if (!branches) return 0;
  const frames = 2 * (stateBytes + FRAME_BYTES) + TEXT_BYTES / 2;
  // Of a version with a moved state the speaker sends what moved it, less than a state of one layer with its features.
  const moved = (stateBytes + FRAME_BYTES) / 2 + FRAME_BYTES + (stateBytes / layers + TEXT_BYTES) / 2;
  const { share, alternatives } = branches;
  const versions = (alternatives + 1) * frames + (countVersions(branches) - alternatives) * moved;
  return Math.min(1, share * 1.1) * versions;
}

/**
 * Number of conditions × groups in which an agent takes part: a speaker in all of its groups, a reader where one
 * reads.
 */
function partsOf({ pairs, conditions, reader }: Study, agent: string): number {
  const spoken = pairs.filter((pair) => pair.includes(agent)).length * conditions.length;
  return agent === reader && conditions.includes('reader') ? spoken + pairs.length : spoken;
}

/** Upper bound for all agents together. */
export function expectedOfStudy(study: Study, models: ReadonlyMap<string, AgentModel>): Expected {
  const sum: Expected = { studyBytes: 0, hourBytes: 0 };
  for (const agent of agentsOf(study)) {
    const model = models.get(agent);
    if (!model) throw new Error(`the model of agent ${agent} is not known`);
    const { studyBytes, hourBytes } = expectedOf(study, agent, model);
    sum.studyBytes += studyBytes;
    sum.hourBytes += hourBytes;
  }
  return sum;
}

export const gigabytes = (bytes: number): string => `${(bytes / 1e9).toPrecision(3)} GB`;
