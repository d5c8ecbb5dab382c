/**
 * Classifies what a NATS server refuses, by the codes of its answers: a missing permission, a full store,
 * JetStream switched off.
 */
import { ErrorCode, NatsError, type NatsConnection } from 'nats';
import { EntrainError } from '../../protocol/errors.ts';

/**
 * - `forbidden`: the user lacks the permission; an administrator may give it at any time.
 * - `full`: the store takes nothing more until somebody makes room.
 * - `off`: JetStream is not running, or not for this account.
 * - `away`: no answer came; the server may be gone or still starting.
 */
export type NatsFault = 'forbidden' | 'full' | 'off' | 'away';

/** JetStream's own error codes (`err_code`). */
const FULL_CODES: ReadonlySet<number> = new Set([
  10_002, // resource limits exceeded for the account
  10_023, // insufficient resources
  10_026, // maximum number of consumers
  10_027, // maximum number of streams
  10_028, // memory resources exceeded
  10_047, // storage resources exceeded
  10_077, // the stream could not store the message: its limits, or the disk
  10_122, // storage of the stream exceeds what is available
]);
const OFF_CODES: ReadonlySet<number> = new Set([
  10_008, // temporarily unavailable
  10_035, // not enabled for this account, of older servers
  10_039, // not enabled for this account
  10_076, // not enabled
]);
const FORBIDDEN: string = ErrorCode.PermissionsViolation;
const NOBODY: string = ErrorCode.NoResponders;
const AWAY_CODES: ReadonlySet<string> = new Set([ErrorCode.Timeout, ErrorCode.Disconnect]);

/**
 * The fault, or undefined for an error that is not a fault of the server, such as a refusal with a meaning of
 * its own. Where a server has accounts, nothing answers for JetStream while it is off; that it is, the server itself
 * says when one connects.
 */
export function natsFault(error: unknown, link?: Pick<NatsConnection, 'info'>): NatsFault | undefined {
  const fault = faultOf(error);
  return fault === 'away' && link?.info && link.info.jetstream !== true ? 'off' : fault;
}

function faultOf(error: unknown): NatsFault | undefined {
  if (!(error instanceof NatsError)) return undefined;
  const code = error.api_error?.err_code;
  if (error.code === FORBIDDEN) return 'forbidden';
  if (code !== undefined && FULL_CODES.has(code)) return 'full';
  if (code !== undefined && OFF_CODES.has(code)) return 'off';
  // The connection is up, and nothing answers for JetStream.
  if (code === undefined && error.code === NOBODY) return 'off';
  return code === undefined && AWAY_CODES.has(error.code) ? 'away' : undefined;
}

/** What to do about a fault, for logs and error messages. */
export const FAULT_ADVICE: Readonly<Record<NatsFault, string>> = {
  forbidden:
    'the NATS server does not let this user do it: let it into the run (npm run secrets -- --run NAME) and have the server read its users again',
  full: 'the store of the NATS server is full: make room on its disk, raise max_file_store or the limits of the account, or delete streams of old runs',
  off: 'JetStream does not answer on the NATS server: start it with "jetstream" in its configuration, and with "jetstream: enabled" in the account where it has accounts',
  away: 'the NATS server does not answer: see whether it runs',
};

/**
 * The `EntrainError` for a fault of the server; any other error is returned unchanged. `what` says what failed.
 */
export function namedFault(error: unknown, what: string, link?: Pick<NatsConnection, 'info'>): unknown {
  const fault = natsFault(error, link);
  if (fault === undefined) return error;
  const code = (
    {
      forbidden: 'RUN_FORBIDDEN',
      full: 'NATS_FULL',
      off: 'NATS_NO_JETSTREAM',
      away: 'NATS_UNREACHABLE',
    } as const
  )[fault];
  return new EntrainError(code, `${what} failed: ${FAULT_ADVICE[fault]}.`, { cause: error });
}
