/** The line printed before a run begins: how much disk space it may take, and how long the free space lasts. */
import type { AgentModel } from '../../protocol/agent-model.ts';
import type { Disk } from '../../protocol/nats-messages.ts';
import { expectedOfStudy, gigabytes, TOKENS_PER_S, type Expected } from '../../protocol/recording-size.ts';
import type { Study } from '../../protocol/study.ts';

export function diskLine(study: Study, models: ReadonlyMap<string, AgentModel>, disk: Disk): string {
  const { studyBytes, hourBytes }: Expected = expectedOfStudy(study, models);
  const roomBytes = Math.min(disk.freeBytes, disk.maxRunBytes);
  const hours = (roomBytes / hourBytes).toPrecision(2);
  return `disk         this study takes ${gigabytes(studyBytes)} at most; room for ${gigabytes(roomBytes)}, ${Number(hours)} hours at ${TOKENS_PER_S} tokens/s`;
}
