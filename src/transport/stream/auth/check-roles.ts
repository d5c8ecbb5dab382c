/**
 * Decides whose frames an analyzer takes. A frame counts if the run's coordinator gave its agent a role in the
 * episode, and only with that role, seating and model. Each `episode` frame brings the role; later frames of
 * the stream are checked against it. This module does not deal with connections.
 *
 *   episode frame with a grant ──▶ role of (run, stream, episode) ──▶ turn, steps, branch frames of that episode
 */
import { EntrainError } from '../../../protocol/errors.ts';
import {
  READER_SEATING,
  type DataMessage,
  type EpisodeFrame,
  type TurnFrame,
} from '../../../protocol/stream/frames.ts';
import { MAX_EPISODES } from '../../../protocol/study.ts';
import { digestOf, readGrant, verifyGrant, type RoleGrant } from './role-grant.ts';
import type { StreamPlace } from '../receiver/incoming-stream.ts';
import type { TokenClaims } from './access-token.ts';

/** The roles of all runs that an analyzer knows. */
export interface Roles {
  /**
   * Checks a frame before it is recorded.
   * @throws EntrainError `ROLE_MISSING`, `FRAME_INVALID`
   */
  admit(message: DataMessage, claims: TokenClaims): void;
  /** Learns the role from a frame that was admitted before the analyzer was restarted. */
  recall(message: DataMessage, place: StreamPlace): void;
  /** Keeps nothing of a run; its frames have to be recalled before it sends again. */
  forget(run: string): void;
}

/**
 * Most groups that the episodes of one run may make: ordered pairs of places for each set of models and each
 * condition.
 */
export const MAX_GROUPS = 2000;

interface Role {
  role: number;
  speakers: number;
  /** Undefined if no coordinator gave the role. */
  seating: number | undefined;
  layers: number;
  dims: number;
}

interface RunRoles {
  /** Whether a coordinator gives the roles of this run. */
  granted: boolean;
  /** Stream and episode → role. */
  roles: Map<string, Role>;
  /** Episode → its digest, from the first frame about it. */
  episodes: Map<string, string>;
  families: Set<string>;
  groups: number;
}

export function createRoles({ publicKeyPem }: { publicKeyPem: string }): Roles {
  const runs = new Map<string, RunRoles>();
  const runOf = (name: string): RunRoles => {
    const known = runs.get(name) ?? {
      granted: false,
      roles: new Map<string, Role>(),
      episodes: new Map<string, string>(),
      families: new Set<string>(),
      groups: 0,
    };
    runs.set(name, known);
    return known;
  };
  return {
    admit: (message, claims) => {
      if (message.type === 'gap') return;
      const run = runOf(claims.run);
      run.granted ||= claims.granted === true;
      if (message.type !== 'episode') return checkAgainst(roleOf(run, claims.stream, message), message);
      if (message.run !== claims.run) throw missing(message, 'belongs to another run');
      const grant = grantOf(run, message, { claims, publicKeyPem });
      checkLimits(run, message);
      remember(run, claims.stream, { frame: message, grant });
    },
    recall: (message, { run, stream }) => {
      if (message.type !== 'episode') return;
      const grant = message.grant === undefined ? undefined : readGrant(message.grant);
      remember(runOf(run), stream, { frame: message, grant });
    },
    forget: (run) => void runs.delete(run),
  };
}

/**
 * The verified grant of the frame's role. Undefined in a run without a coordinator; there an agent has the role
 * in which the `episode` frame names it.
 */
function grantOf(
  run: RunRoles,
  frame: EpisodeFrame,
  { claims, publicKeyPem }: { claims: TokenClaims; publicKeyPem: string },
): RoleGrant | undefined {
  const digest = digestOf(frame);
  if (frame.grant !== undefined) {
    const grant = verifyGrant(publicKeyPem, frame.grant);
    const holds =
      grant.kind === 'role' &&
      grant.run === claims.run &&
      grant.agent === claims.agent &&
      grant.episode === frame.episode &&
      grant.role === frame.role &&
      grant.episodeDigest === digest &&
      isPlanned(frame, grant);
    if (holds) return grant;
    throw missing(frame, 'does not hold the grant of its own role');
  }
  if (run.granted) throw missing(frame, 'holds no grant of the coordinator');
  if (frame.order[frame.role] !== claims.agent)
    throw missing(frame, `names another agent than "${claims.agent}" in its role`);
  if ((run.episodes.get(frame.episode) ?? digest) !== digest)
    throw missing(frame, 'describes the episode otherwise than the first frame about it');
  return undefined;
}

/** Grants of earlier coordinators say nothing of the plan. */
const isPlanned = ({ plan }: EpisodeFrame, grant: RoleGrant): boolean =>
  grant.plan === undefined ||
  (plan?.seed === grant.plan.seed &&
    plan.minTurns === grant.plan.minTurns &&
    plan.groups === grant.plan.groups);

/** Refuses what would exceed the limits on episodes and groups of a run. */
function checkLimits(run: RunRoles, { episode, order, models, condition }: EpisodeFrame): void {
  if (!run.episodes.has(episode) && run.episodes.size >= MAX_EPISODES)
    throw tooMany(`${MAX_EPISODES} episodes`);
  if (!isNewFamily(run, { order, models, condition })) return;
  if (run.groups + order.length * (order.length - 1) > MAX_GROUPS) throw tooMany(`${MAX_GROUPS} groups`);
}

type Family = Pick<EpisodeFrame, 'order' | 'models' | 'condition'>;

const isNewFamily = (run: RunRoles, family: Family): boolean => !run.families.has(familyKey(family));

const familyKey = ({ order, models, condition }: Family): string =>
  JSON.stringify([order.length, condition, models.map(({ name, sha256 }) => [name, sha256])]);

function remember(
  run: RunRoles,
  stream: string,
  { frame, grant }: { frame: EpisodeFrame; grant: RoleGrant | undefined },
): void {
  const { episode, order, role, models } = frame;
  if (isNewFamily(run, frame)) {
    run.families.add(familyKey(frame));
    run.groups += order.length * (order.length - 1);
  }
  if (grant) run.granted = true;
  if (!run.episodes.has(episode)) run.episodes.set(episode, digestOf(frame));
  run.roles.set(keyOf(stream, episode), {
    role,
    speakers: order.length,
    seating: grant?.seating,
    layers: grant?.layers ?? models[role]?.layers ?? 0,
    dims: grant?.dims ?? models[role]?.dims ?? 0,
  });
}

type StateFrame = Exclude<DataMessage, EpisodeFrame | { type: 'gap' }>;

function roleOf(run: RunRoles, stream: string, frame: StateFrame): Role {
  const role = run.roles.get(keyOf(stream, frame.episode));
  if (role) return role;
  throw missing(frame, 'comes from a stream without a role in the episode');
}

function checkAgainst(role: Role, frame: StateFrame): void {
  const { layers, dims } = role;
  if (frame.shape[2] !== dims || (frame.layers.at(-1) ?? 0) > layers)
    throw new EntrainError(
      'FRAME_INVALID',
      `The states of a ${frame.type} frame have ${frame.shape[2]} dimensions and layers up to ${frame.layers.at(-1)}; expected ${dims} dimensions and layers up to ${layers}, as its model has.`,
    );
  if (frame.type === 'turn') checkTurn(role, frame);
  // Who lost the role may send on, but not in the place of who has it now.
  if (frame.type !== 'steps' && role.seating !== undefined && (frame.seating ?? 0) !== role.seating)
    throw missing(frame, `says another seating than ${role.seating}`);
}

function checkTurn({ role, speakers, seating, layers }: Role, frame: TurnFrame): void {
  if (frame.turn % speakers !== role) throw missing(frame, 'is of a turn of another role');
  if (seating === undefined && (frame.seating ?? 0) >= READER_SEATING)
    throw missing(frame, 'says that it is a reader’s, for which a coordinator’s grant is needed');
  if (frame.layers.length !== layers)
    throw new EntrainError(
      'FRAME_INVALID',
      `A turn frame has ${frame.layers.length} layers; expected all ${layers} that its model has.`,
    );
}

function missing({ type, episode }: { type: string; episode: string }, why: string): EntrainError {
  return new EntrainError(
    'ROLE_MISSING',
    `A ${type} frame of episode ${episode} ${why}: expected frames of an agent in the role that the coordinator gave it.`,
  );
}

const tooMany = (what: string): EntrainError =>
  new EntrainError(
    'FRAME_INVALID',
    `The run has ${what} already; expected no more. Split it into several runs.`,
  );

const keyOf = (stream: string, episode: string): string => `${stream}/${episode}`;
