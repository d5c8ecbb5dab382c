/**
 * What a coordinator signs when it gives an agent a role of an episode. The agent puts it into its `episode` frame, so
 * that the
 * analyzer knows from the coordinator, and not from the frame, whose states may count there. It holds for ever: frames
 * may
 * wait in a spool for days.
 */
import { createHash } from 'node:crypto';
import type { EpisodeFrame } from '../../protocol/stream/frames.ts';
import { openSigned, signClaims } from './signed-claims.ts';

export interface RoleGrant {
  /** No access token has it, so that the one is never taken for the other. */
  kind: 'role';
  run: string;
  episode: string;
  agent: string;
  /** Index in the speaking order; that of a reader is the place it reads in. */
  role: number;
  /** What the agent's turn frames say as `seating`. */
  seating: number;
  /** Of the agent's own model. */
  layers: number;
  dims: number;
  /** `digestOf` the episode. */
  episodeDigest: string;
}

export type Described = Pick<EpisodeFrame, 'scenario' | 'pair' | 'condition' | 'seed' | 'order' | 'models'>;

/** SHA-256 of what an episode is, hexadecimal. */
export function digestOf({ scenario, pair, condition, seed, order, models }: Described): string {
  const lines = models.map(({ name, sha256, layers, dims }) => [name, sha256, layers, dims]);
  return createHash('sha256')
    .update(JSON.stringify([scenario, pair, condition, seed, order, lines]))
    .digest('hex');
}

export const mintGrant = (privateKeyPem: string, grant: RoleGrant): string =>
  signClaims(privateKeyPem, grant);

/**
 * The grant, where the coordinator of this key signed it.
 * @throws EntrainError `TOKEN_INVALID`
 */
export function verifyGrant(publicKeyPem: string, text: string): RoleGrant {
  return openSigned(publicKeyPem, text, 'role grant') as RoleGrant;
}

/** The grant as it stands, signature or not: of a frame that was checked when it was recorded. */
export function readGrant(text: string): RoleGrant {
  return JSON.parse(Buffer.from(text.split('.')[0] ?? '', 'base64url').toString()) as RoleGrant;
}
