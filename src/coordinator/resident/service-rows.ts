/**
 * The rows in which the resident coordinator keeps what it was asked for and how runs ended. Only the holder of the
 * lease writes: it begins by writing the row `leader`, and each write names the bucket's last message, so that the
 * server refuses all that an earlier leader still sends.
 */
import type { RecorderRow } from '../../protocol/events/recorded.ts';
import { EntrainError } from '../../protocol/errors.ts';
import {
  memberRowSchema,
  tokenRowSchema,
  type MemberRow,
  type TokenRow,
} from '../../protocol/join-messages.ts';
import { parseMessage, type RunFacts } from '../../protocol/nats-messages.ts';
import {
  agentRowSchema,
  rowSchemas,
  type AgentRow,
  type RowKind,
  type RowValue,
  type RunOutcome,
  type Submission,
  type Wish,
} from '../../protocol/service-messages.ts';
import { names } from '../../protocol/subjects.ts';
import type { Logger } from '../../process/log.ts';
import { readRows, removeRows, writeRow, type Row } from '../../transport/nats/buckets.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';
import type { Lease } from './lease.ts';

interface Written<T> {
  value: T;
  /** Grows over all rows: a row of a higher one was written later. */
  revision: number;
}

/** The rows of a run. */
export interface RunRows {
  submission: Written<Submission>;
  wish?: Written<Wish>;
  facts?: Written<RunFacts>;
  recorder?: Written<RecorderRow>;
  outcome?: Written<RunOutcome>;
}

export interface ServiceRows {
  runs: ReadonlyMap<string, RunRows>;
  agents: ReadonlyMap<string, AgentRow>;
  /** Tokens by which machines join, by id. */
  tokens: ReadonlyMap<string, TokenRow>;
  /** The agents that joined by a token. */
  members: ReadonlyMap<string, MemberRow>;
  /** The analyzers that joined by a token. */
  analyzers: ReadonlyMap<string, MemberRow>;
  /** @throws EntrainError `LEASE_LOST` */
  writeRun<K extends RowKind>(run: string, kind: K, value: RowValue<K>): Promise<void>;
  /**
   * Removes all rows of a run that is over.
   * @throws EntrainError `LEASE_LOST`, `RUN_FORBIDDEN` if the server's users are those of an earlier version
   */
  forgetRun(run: string): Promise<void>;
  /** @throws EntrainError `LEASE_LOST` */
  writeAgent(agent: string, value: AgentRow): Promise<void>;
  /** @throws EntrainError `LEASE_LOST` */
  writeToken(id: string, value: TokenRow): Promise<void>;
  /** @throws EntrainError `LEASE_LOST` */
  writeMember(agent: string, value: MemberRow): Promise<void>;
  /** @throws EntrainError `LEASE_LOST` */
  writeAnalyzer(id: string, value: MemberRow): Promise<void>;
}

const TRIES = 5;

/** Reads the rows as they are once every earlier leader is shut out. */
export async function openServiceRows(link: NatsLink, lease: Lease, log: Logger): Promise<ServiceRows> {
  const { known, last } = await readKnown(link, lease, log);
  const { runs, agents, tokens, members, analyzers } = known;
  const write = writerFrom(last, link, lease);
  return {
    runs: runs as Map<string, RunRows>,
    agents,
    tokens,
    members,
    analyzers,
    writeRun: async (run, kind, value) => {
      const revision = await write(`run.${run}.${kind}`, value);
      runs.set(run, { ...runs.get(run), [kind]: { value, revision } });
    },
    forgetRun: async (run) => {
      lease.throwIfAborted();
      await removeRows(link.connection, { bucket: names.rowsBucket, prefix: `run.${run}` });
      runs.delete(run);
    },
    writeAgent: async (agent, value) => {
      await write(`agent.${agent}`, value);
      agents.set(agent, value);
    },
    writeToken: async (id, value) => {
      await write(`token.${id}`, value);
      tokens.set(id, value);
    },
    writeMember: async (agent, value) => {
      await write(`member.${agent}`, value);
      members.set(agent, value);
    },
    writeAnalyzer: async (id, value) => {
      await write(`analyzer.${id}`, value);
      analyzers.set(id, value);
    },
  };
}

async function readKnown(
  link: NatsLink,
  lease: Lease,
  log: Logger,
): Promise<{ known: KnownRows; last: number }> {
  const bucket = names.rowsBucket;
  const known: KnownRows = {
    runs: new Map(),
    agents: new Map(),
    tokens: new Map(),
    members: new Map(),
    analyzers: new Map(),
  };
  let last = 0;
  for (let tries = 0; last === 0; tries += 1) {
    const { all, lastSequence } = await readRows(link, bucket);
    const row = { bucket, key: 'leader', text: JSON.stringify({ lease: lease.number }), after: lastSequence };
    last = (await writeRow(link.connection, row, lease)) ?? 0;
    if (last === 0 && tries === TRIES) throw lost(lease);
    if (last > 0) for (const read of all) takeRow(known, read, log);
  }
  for (const [run, { submission }] of known.runs) if (!submission) known.runs.delete(run);
  return { known, last };
}

/** Writes one row after the other, each after the bucket's last message that it knows of. */
function writerFrom(
  first: number,
  link: NatsLink,
  lease: Lease,
): (key: string, value: unknown) => Promise<number> {
  let last = first;
  let writing: Promise<unknown> = Promise.resolve();
  return (key, value) => {
    const next = writing.then(async () => {
      const row = { bucket: names.rowsBucket, key, text: JSON.stringify(value), after: last };
      const revision = await writeRow(link.connection, row, lease);
      if (revision === undefined) throw lost(lease);
      return (last = revision);
    });
    writing = next.catch(() => undefined);
    return next;
  };
}

function lost(lease: Lease): EntrainError {
  lease.giveUp();
  return new EntrainError('LEASE_LOST', 'Another coordinator has written the rows of the runs.');
}

interface KnownRows {
  runs: Map<string, Partial<RunRows>>;
  agents: Map<string, AgentRow>;
  tokens: Map<string, TokenRow>;
  members: Map<string, MemberRow>;
  analyzers: Map<string, MemberRow>;
}

/** A row that does not follow its schema is left as it is, and named in the log. */
function takeRow(
  { runs, agents, tokens, members, analyzers }: KnownRows,
  { key, text, revision }: Row,
  log: Logger,
): void {
  const [family, name = '', kind = ''] = key.split('.');
  const about = { code: 'MESSAGE_INVALID', what: `The row ${key}` } as const;
  try {
    if (family === 'agent') agents.set(name, parseMessage(agentRowSchema, text, about));
    if (family === 'token') tokens.set(name, parseMessage(tokenRowSchema, text, about));
    if (family === 'member') members.set(name, parseMessage(memberRowSchema, text, about));
    if (family === 'analyzer') analyzers.set(name, parseMessage(memberRowSchema, text, about));
    if (family !== 'run' || !(kind in rowSchemas)) return;
    const value: unknown = parseMessage(rowSchemas[kind as RowKind], text, about);
    runs.set(name, { ...runs.get(name), [kind]: { value, revision } });
  } catch (error) {
    log.error({ err: error, key }, 'row refused');
  }
}
