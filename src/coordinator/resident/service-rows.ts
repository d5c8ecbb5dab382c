/**
 * The rows in which the resident coordinator keeps what it was asked for and how runs ended. Only the holder of the
 * lease writes: it begins by writing the row `leader`, and each write names the bucket's last message, so that the
 * server refuses all that an earlier leader still sends.
 */
import { EntrainError } from '../../protocol/errors.ts';
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
import { readRows, writeRow, type Row } from '../../transport/nats/buckets.ts';
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
  outcome?: Written<RunOutcome>;
}

export interface ServiceRows {
  runs: ReadonlyMap<string, RunRows>;
  agents: ReadonlyMap<string, AgentRow>;
  /** @throws EntrainError `LEASE_LOST` */
  writeRun<K extends RowKind>(run: string, kind: K, value: RowValue<K>): Promise<void>;
  /** @throws EntrainError `LEASE_LOST` */
  writeAgent(agent: string, value: AgentRow): Promise<void>;
}

const TRIES = 5;

/** Reads the rows as they are once every earlier leader is shut out. */
export async function openServiceRows(link: NatsLink, lease: Lease, log: Logger): Promise<ServiceRows> {
  const bucket = names.rowsBucket;
  const runs = new Map<string, Partial<RunRows>>();
  const agents = new Map<string, AgentRow>();
  let last = 0;
  for (let tries = 0; last === 0; tries += 1) {
    const { all, lastSequence } = await readRows(link.connection, bucket);
    const row = { bucket, key: 'leader', text: JSON.stringify({ lease: lease.number }), after: lastSequence };
    last = (await writeRow(link.connection, row, lease)) ?? 0;
    if (last === 0 && tries === TRIES) throw lost(lease);
    if (last > 0) for (const read of all) takeRow({ runs, agents }, read, log);
  }
  for (const [run, { submission }] of runs) if (!submission) runs.delete(run);
  let writing: Promise<unknown> = Promise.resolve();
  const write = (key: string, value: unknown): Promise<number> => {
    const next = writing.then(async () => {
      const row = { bucket, key, text: JSON.stringify(value), after: last };
      const revision = await writeRow(link.connection, row, lease);
      if (revision === undefined) throw lost(lease);
      return (last = revision);
    });
    writing = next.catch(() => undefined);
    return next;
  };
  return {
    runs: runs as Map<string, RunRows>,
    agents,
    writeRun: async (run, kind, value) => {
      const revision = await write(`run.${run}.${kind}`, value);
      runs.set(run, { ...runs.get(run), [kind]: { value, revision } });
    },
    writeAgent: async (agent, value) => {
      await write(`agent.${agent}`, value);
      agents.set(agent, value);
    },
  };
}

function lost(lease: Lease): EntrainError {
  lease.giveUp();
  return new EntrainError('LEASE_LOST', 'Another coordinator has written the rows of the runs.');
}

/** A row that does not follow its schema is left as it is, and named in the log. */
function takeRow(
  { runs, agents }: { runs: Map<string, Partial<RunRows>>; agents: Map<string, AgentRow> },
  { key, text, revision }: Row,
  log: Logger,
): void {
  const [family, name = '', kind = ''] = key.split('.');
  const about = { code: 'MESSAGE_INVALID', what: `The row ${key}` } as const;
  try {
    if (family === 'agent') agents.set(name, parseMessage(agentRowSchema, text, about));
    if (family !== 'run' || !(kind in rowSchemas)) return;
    const value: unknown = parseMessage(rowSchemas[kind as RowKind], text, about);
    runs.set(name, { ...runs.get(name), [kind]: { value, revision } });
  } catch (error) {
    log.error({ err: error, key }, 'row refused');
  }
}
