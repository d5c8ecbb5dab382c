/**
 * What a NATS server may refuse, by the codes of its answers: which right is missing, that its store is full, that
 * JetStream is off.
 */
import { ErrorCode, NatsError } from 'nats';
import { EntrainError } from '../../protocol/errors.ts';

/**
 * - `forbidden`: the user lacks the right; an administrator may give it at any time.
 * - `full`: the store takes nothing more until somebody makes room.
 * - `off`: JetStream is not running, or not for this account.
 * - `away`: no answer came; the server may be gone or only starting.
 */
export type NatsFault = 'forbidden' | 'full' | 'off' | 'away';

/** JetStream's own codes (`err_code`). */
const FULL_CODES: ReadonlySet<number> = new Set([
  10_023, // insufficient resources
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

/** Undefined for what is no fault of the server: what it answers is meant. */
export function natsFault(error: unknown): NatsFault | undefined {
  if (!(error instanceof NatsError)) return undefined;
  const code = error.api_error?.err_code;
  if (error.code === FORBIDDEN) return 'forbidden';
  if (code !== undefined && FULL_CODES.has(code)) return 'full';
  if (code !== undefined && OFF_CODES.has(code)) return 'off';
  // Asked while connected, and nobody serves JetStream.
  if (code === undefined && error.code === NOBODY) return 'off';
  return code === undefined && AWAY_CODES.has(error.code) ? 'away' : undefined;
}

/** What one does about it, for log and error. */
export const FAULT_ADVICE: Readonly<Record<NatsFault, string>> = {
  forbidden:
    'the NATS server does not let this user do it: let it into the run (npm run secrets -- --run NAME) and have the server read its users again',
  full: 'the store of the NATS server is full: make room on its disk, raise max_file_store, or delete streams of old runs',
  off: 'JetStream does not answer on the NATS server: start it with "jetstream" in its configuration',
  away: 'the NATS server does not answer: see whether it runs',
};

/** A fault as the error that a user is told; anything else as it is. */
export function namedFault(error: unknown, what: string): unknown {
  const fault = natsFault(error);
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
