/** One line before a run begins: what it may take on the disk, and how long the room lasts. */
import { diskSchema, parseMessage, type AgentModel, type Disk } from '../protocol/control.ts';
import { expectedOfStudy, gigabytes, TOKENS_PER_S, type Expected } from '../protocol/recording-size.ts';
import type { Study } from '../protocol/study.ts';
import { subjects } from '../protocol/subjects.ts';
import { request, type ServiceRecord } from '../transport/nats-services.ts';
import type { NatsLink } from '../transport/nats.ts';

const ASK_TIMEOUT_MS = 10_000;

export async function askDisk(link: NatsLink, analyzer: string): Promise<Disk> {
  const subject = subjects.analyzerDisk(analyzer);
  const answer = await request(link.connection, subject, { body: {}, timeoutMs: ASK_TIMEOUT_MS });
  return parseMessage(diskSchema, answer, { code: 'MESSAGE_INVALID', what: 'The analyzer’s room' });
}

/** As an agent announces it. */
export function announcedModel({ metadata }: ServiceRecord): AgentModel {
  const { model: name = '', sha256 = '', layers, dims } = metadata;
  return { name, sha256, layers: Number(layers), dims: Number(dims) };
}

export function diskLine(study: Study, models: ReadonlyMap<string, AgentModel>, disk: Disk): string {
  const { studyBytes, hourBytes }: Expected = expectedOfStudy(study, models);
  const roomBytes = Math.min(disk.freeBytes, disk.maxRunBytes);
  const hours = (roomBytes / hourBytes).toPrecision(2);
  return `disk         this study takes ${gigabytes(studyBytes)} at most; room for ${gigabytes(roomBytes)}, ${Number(hours)} hours at ${TOKENS_PER_S} tokens/s`;
}
