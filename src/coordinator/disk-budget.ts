/** What a study may take on the analyzer's disk, from its own numbers alone, and whether that fits: asked before it begins. */
import { diskSchema, parseMessage, type AgentModel, type Disk } from '../protocol/control.ts';
import { EntrainError } from '../protocol/errors.ts';
import type { Study } from '../protocol/study.ts';
import { ANALYZER_SERVICE, subjects } from '../protocol/subjects.ts';
import type { Logger } from '../process/log.ts';
import { findServices, request } from '../transport/nats-services.ts';
import type { NatsLink } from '../transport/nats.ts';
import type { Fleet } from './fleet.ts';

/** Bytes of one agent's stream, at the most. */
export interface Expected {
  studyBytes: number;
  /** While it does nothing but speak and hear, at `TOKENS_PER_S`. */
  hourBytes: number;
}

/** A brisk pace for a model of 7 billion parameters on a GPU. */
const TOKENS_PER_S = 50;
/** Features of a prompt in a `turn` frame. */
const TEXT_BYTES = 4096 * 4;
/** Names, numbers and the record around a frame. */
const FRAME_BYTES = 512;
/** What a chat template and another tokenizer put around the words of a turn. */
const TEMPLATE_TOKENS = 32;
const ASK_TIMEOUT_MS = 5000;
const FIND_ATTEMPTS = 20;

/** Every turn as long as it may be, and every word heard by both. */
export function expectedOf(study: Study, agent: string, { layers, dims }: AgentModel): Expected {
  const { steps, maxTurns, maxTokens } = study;
  const chosen = steps ? (steps.layers?.filter((layer) => layer <= layers).length ?? layers + 1) : 0;
  const stepBytes = steps ? (chosen * dims * 2 + FRAME_BYTES) / steps.every : 0;
  const turnBytes = (layers + 1) * dims * 4 + TEXT_BYTES + FRAME_BYTES;
  const episodeBytes =
    FRAME_BYTES + Math.ceil(maxTurns / 2) * turnBytes + maxTurns * (maxTokens + TEMPLATE_TOKENS) * stepBytes;
  const pairs = study.pairs.filter((pair) => pair.includes(agent)).length;
  const episodes = study.episodes * study.scenarios.length * study.conditions.length * pairs;
  const hourTokens = TOKENS_PER_S * 3600;
  return {
    studyBytes: Math.ceil(episodes * episodeBytes),
    hourBytes: Math.ceil((episodeBytes / (maxTurns * maxTokens)) * hourTokens),
  };
}

/** @throws EntrainError `STUDY_TOO_LARGE` unless `anySize` */
export async function checkDisk(
  link: NatsLink,
  of: { study: Study; fleet: Fleet; anySize: boolean; log: Logger },
): Promise<void> {
  const { study, fleet, anySize, log } = of;
  const agents = [...new Set(study.pairs.flat())].map((agent) => {
    const known = fleet.agents.get(agent);
    if (!known) throw new Error(`agent ${agent} is not in the fleet`);
    return { agent, ...expectedOf(study, agent, known.model) };
  });
  const studyBytes = agents.reduce((sum, expected) => sum + expected.studyBytes, 0);
  const hourBytes = agents.reduce((sum, expected) => sum + expected.hourBytes, 0);
  const disk = await askDisk(link, fleet.streamUrl);
  log.info({ agents, studyBytes, hourBytes, tokensPerSecond: TOKENS_PER_S, ...disk }, 'recording expected');
  const roomBytes = Math.min(disk.freeBytes, disk.maxRunBytes);
  if (studyBytes <= roomBytes || anySize) return;
  throw new EntrainError(
    'STUDY_TOO_LARGE',
    `The recording of study ${study.name} may take ${gigabytes(studyBytes)} (${gigabytes(hourBytes)} an hour), but the analyzer has ${gigabytes(disk.freeBytes)} free and lets a run take ${gigabytes(disk.maxRunBytes)}: stream fewer layers or steps (steps.layers, steps.every), make room, raise the analyzer's --max-run-gb, or begin anyway with --any-size.`,
  );
}

async function askDisk(link: NatsLink, streamUrl: string): Promise<Disk> {
  const id = await findAnalyzer(link, streamUrl);
  const answer = await request(link.connection, subjects.analyzerDisk(id), {
    body: {},
    timeoutMs: ASK_TIMEOUT_MS,
  });
  return parseMessage(diskSchema, answer, { code: 'MESSAGE_INVALID', what: 'The analyzer’s room' });
}

/** A busy machine may answer one question late: it is asked some times. */
async function findAnalyzer(link: NatsLink, streamUrl: string): Promise<string> {
  for (let attempt = 0; attempt < FIND_ATTEMPTS; attempt += 1) {
    const analyzers = await findServices(link, ANALYZER_SERVICE);
    const id = analyzers.find(({ metadata }) => metadata['streamUrl'] === streamUrl)?.metadata['id'];
    if (id) return id;
  }
  throw new EntrainError(
    'ANALYZER_MISSING',
    `The analyzer at ${streamUrl} is gone: start it again with "entrain analyzer".`,
  );
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toPrecision(3)} GB`;
