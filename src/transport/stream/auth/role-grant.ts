/**
 * A role grant: the coordinator's signed statement that an agent has a role in an episode. The agent puts it
 * into its `episode` frame, so the analyzer does not have to believe the frame about whose states may count. A
 * grant does not expire, since frames may wait in a spool for days.
 */
import { createHash } from 'node:crypto';
import type { EpisodeFrame, StudyPlan } from '../../../protocol/stream/frames.ts';
import { openSigned, signClaims } from './signed-claims.ts';

export interface RoleGrant {
  /** No access token has this field, so neither can be used as the other. */
  kind: 'role';
  run: string;
  episode: string;
  agent: string;
  /** Index in the speaking order; for a reader, the index of the speaker in whose place it reads. */
  role: number;
  /** The `seating` of the agent's turn frames. */
  seating: number;
  /** Layers and dimensions of the agent's own model. */
  layers: number;
  dims: number;
  /** `digestOf` the episode. */
  episodeDigest: string;
  /** What the study fixed, on which the scores of all depend. Absent from grants of earlier coordinators. */
  plan?: StudyPlan;
}

export type Described = Pick<EpisodeFrame, 'scenario' | 'pair' | 'condition' | 'seed' | 'order' | 'models'>;

/** SHA-256, hexadecimal, of the facts of an episode that must not change. */
export function digestOf({ scenario, pair, condition, seed, order, models }: Described): string {
  const lines = models.map(({ name, sha256, layers, dims }) => [name, sha256, layers, dims]);
  return createHash('sha256')
    .update(JSON.stringify([scenario, pair, condition, seed, order, lines]))
    .digest('hex');
}

export const mintGrant = (privateKeyPem: string, grant: RoleGrant): string =>
  signClaims(privateKeyPem, grant);

/**
 * The grant, if the holder of this key signed it.
 * @throws EntrainError `TOKEN_INVALID`
 */
export function verifyGrant(publicKeyPem: string, text: string): RoleGrant {
  return openSigned(publicKeyPem, text, 'role grant') as RoleGrant;
}

/** The grant without a check of its signature: for frames that were checked when they were recorded. */
export function readGrant(text: string): RoleGrant {
  return JSON.parse(Buffer.from(text.split('.')[0] ?? '', 'base64url').toString()) as RoleGrant;
}
