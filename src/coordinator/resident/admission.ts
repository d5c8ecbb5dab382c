/**
 * Lets machines in: makes tokens, answers who comes with one, signs what agents connect with, and revokes it. All that
 * it must not forget stands in the rows; the accounts that the server has are a function of them.
 */
import { randomBytes } from 'node:crypto';
import { EntrainError } from '../../protocol/errors.ts';
import type {
  Joined,
  JoinRequest,
  MemberRow,
  RenewAnalyzer,
  Renewed,
  TokenRow,
} from '../../protocol/join-messages.ts';
import type { Caller } from '../../protocol/service-messages.ts';
import type { Clock } from '../../process/clock.ts';
import { credentialsOf } from '../../transport/nats/access/credentials.ts';
import { JOINER, tokenText } from '../../transport/nats/access/join-token.ts';
import { accountTokens, userToken } from '../../transport/nats/access/account-tokens.ts';
import { makeKey } from '../../transport/nats/access/jwt.ts';
import { publishAccounts } from '../../transport/nats/access/publish-accounts.ts';
import { asUser, type NatsOptions } from '../../transport/nats/connection.ts';
import { ANY_RUN } from '../../transport/nats/permissions.ts';
import { admitAnalyzer, barAnalyzer, renewAnalyzer, type AnalyzerAdmission } from './admit-analyzer.ts';
import type { ServiceRows } from './service-rows.ts';

export const TOKEN_MS = 15 * 60_000;
/** Requests of machines that want to join, a minute; more wait. */
const MOST_A_MINUTE = 60;
const MINUTE_MS = 60_000;
/** The same for every cause: it says nothing of which tokens there are. */
const REFUSED =
  'This token lets nobody in: it was used, revoked, or its time is over; ask for a new one with "entrain token".';

export interface AdmissionOptions extends AnalyzerAdmission {
  nats: NatsOptions;
  rows: ServiceRows;
  /** Whether an agent of this name is there that never joined. */
  isForeign(agent: string): Promise<boolean>;
}

export interface Admission {
  makeToken(by: Caller, admits: TokenRow['admits']): Promise<{ id: string; token: string; untilMs: number }>;
  revokeToken(id: string): Promise<{ id: string; untilMs: number }>;
  /** @throws EntrainError `TOKEN_INVALID`, `AGENT_TAKEN`, `VERSION_MISMATCH` */
  join(id: string, request: JoinRequest): Promise<Joined>;
  /** @throws EntrainError `NOT_ALLOWED`, `VERSION_MISMATCH` */
  renew(agent: string, of: { knowsAccounts: boolean }): { jwt: string };
  /** @throws EntrainError `NOT_ALLOWED` */
  renewAnalyzer(id: string, shown: RenewAnalyzer): Promise<Renewed>;
  /** Revokes what an agent connects with, or takes that back. */
  bar(agent: string, isBarred: boolean): Promise<void>;
  /** @throws EntrainError `AGENT_UNKNOWN` if no analyzer of this name joined */
  barAnalyzer(id: string, isBarred: boolean): Promise<void>;
  /** Gives the server its accounts as the rows have them. */
  publish(): Promise<void>;
}

interface Parts extends AdmissionOptions {
  /** Gives the server its accounts as the rows have them. */
  publish(): Promise<void>;
}

export function createAdmission(given: AdmissionOptions): Admission {
  const options: Parts = { ...given, publish: publishInTurn(given) };
  const { rows, clock } = options;
  const admits = limited(clock);
  /** Tokens that are being used at this moment. */
  const taking = new Set<string>();
  return {
    makeToken: (by, admits) => makeToken(options, by, admits),
    revokeToken: async (id) => {
      const row = rows.tokens.get(id);
      if (!row)
        throw new EntrainError(
          'TOKEN_INVALID',
          `There is no token ${id}: expected the id that "entrain token" said.`,
        );
      await rows.writeToken(id, { ...row, is: 'revoked' });
      await options.publish();
      return { id, untilMs: row.untilMs };
    },
    join: async (id, request) => {
      if (!admits() || taking.has(id)) throw new EntrainError('TOKEN_INVALID', REFUSED);
      taking.add(id);
      try {
        return await join(options, id, request);
      } finally {
        taking.delete(id);
      }
    },
    renew: (agent, { knowsAccounts }) => {
      requireAccounts(`Agent "${agent}"`, knowsAccounts);
      return renew(options, agent);
    },
    renewAnalyzer: (analyzer, shown) => renewAnalyzer(options, analyzer, shown),
    bar: (agent, isBarred) => bar(options, agent, isBarred),
    barAnalyzer: async (analyzer, isBarred) => {
      await barAnalyzer(options, analyzer, isBarred);
      await options.publish();
    },
    publish: options.publish,
  };
}

async function makeToken(
  { keys, rows, clock }: AdmissionOptions,
  by: Caller,
  admits: TokenRow['admits'],
): Promise<{ id: string; token: string; untilMs: number }> {
  if (admits === 'analyzer' && !keys.authorityPair)
    throw new EntrainError(
      'NOT_ALLOWED',
      'This service signs no certificates, so no analyzer joins it: its --join-keys were written by an earlier version; start "entrain serve" again.',
    );
  const id = randomBytes(6).toString('hex');
  const { public: key, seed } = makeKey('user');
  const atMs = clock.nowMs();
  const untilMs = atMs + TOKEN_MS;
  const expiresAtS = Math.floor(untilMs / 1000);
  const jwt = userToken(keys, { user: key, name: `${JOINER}${id}`, runs: [], expiresAtS });
  await rows.writeToken(id, { key, is: 'open', admits, by, atMs, untilMs, agents: [] });
  return { id, token: tokenText({ url: keys.url, authority: keys.authority, seed, jwt }), untilMs };
}

async function join(options: Parts, id: string, request: JoinRequest): Promise<Joined> {
  const { rows, clock } = options;
  const { agents, analyzer } = request;
  const row = rows.tokens.get(id);
  if (!row || row.untilMs < clock.nowMs() || row.is === 'revoked')
    throw new EntrainError('TOKEN_INVALID', REFUSED);
  requireAdmitted(row, request);
  // A request whose answer was lost is made again, with the same keys.
  const isSame = JSON.stringify([row.agents, row.analyzer]) === JSON.stringify([agents, analyzer]);
  const isAgain = row.is === 'used' && isSame;
  if (row.is === 'used' && !isAgain) throw new EntrainError('TOKEN_INVALID', REFUSED);
  const use = async (): Promise<void> => {
    if (!isAgain)
      await rows.writeToken(id, { ...row, is: 'used', agents, ...(analyzer ? { analyzer } : {}) });
  };
  if (analyzer) {
    const { joined, replaces } = await admitAnalyzer(options, analyzer, { token: id, by: row.by, use });
    if (replaces) await options.publish();
    return { agents: [], analyzer: joined };
  }
  requireAccounts('This machine', request.knowsAccounts);
  return { agents: await admitAgents(options, agents, { id, row, use }) };
}

/** Credentials of an agent hold in the account of agents, where an earlier version finds no JetStream. */
function requireAccounts(who: string, knowsAccounts: boolean): void {
  if (knowsAccounts) return;
  throw new EntrainError(
    'VERSION_MISMATCH',
    `${who} has an earlier version of entrain, which knows no account for agents: install the version of the service there.`,
  );
}

/** Who may speak is not who may listen to all: one token never lets in both. */
function requireAdmitted({ admits }: TokenRow, { analyzer }: JoinRequest): void {
  if ((admits === 'analyzer') === (analyzer !== undefined)) return;
  throw new EntrainError(
    'TOKEN_INVALID',
    admits === 'analyzer'
      ? 'This token lets an analyzer in and no agent: give --analyzer, or ask for a token of "entrain token".'
      : 'This token lets agents in and no analyzer: ask for one of "entrain token --analyzer".',
  );
}

async function admitAgents(
  options: Parts,
  agents: JoinRequest['agents'],
  { id, row, use }: { id: string; row: TokenRow; use(): Promise<void> },
): Promise<Joined['agents']> {
  const { rows } = options;
  if (new Set(agents.map(({ agent }) => agent)).size < agents.length)
    throw new EntrainError('AGENT_TAKEN', 'Two agents of one name want to join: give each its own.');
  for (const one of agents) await requireFree(options, one, row);
  await use();
  const replaced = agents.filter(({ agent, key }) => (rows.members.get(agent)?.key ?? key) !== key);
  for (const { agent, key } of agents) await admit(options, { agent, key, token: id, by: row.by });
  if (replaced.length > 0) await options.publish();
  return agents.map(({ agent, key }) => ({ agent, jwt: agentJwt(options, agent, key) }));
}

/** A name stands for one key, until an operator removes the agent and then makes a token. */
async function requireFree(
  { rows, isForeign }: AdmissionOptions,
  { agent, key }: { agent: string; key: string },
  token: TokenRow,
): Promise<void> {
  const member = rows.members.get(agent);
  const row = rows.agents.get(agent);
  const wasRemoved = row?.is === 'removed' && row.atMs < token.atMs;
  const isFree = member ? member.key === key || wasRemoved : row === undefined || wasRemoved;
  if (isFree && (member !== undefined || !(await isForeign(agent)))) return;
  throw new EntrainError(
    'AGENT_TAKEN',
    `There is an agent "${agent}" here already: give this one another name with --model NAME=DIR, or remove that one with "entrain remove ${agent}" and ask for a new token.`,
  );
}

async function admit(
  { rows, clock, log }: AdmissionOptions,
  of: { agent: string; key: string; token: string; by: Caller },
): Promise<void> {
  const { agent, key, token, by } = of;
  const before = rows.members.get(agent);
  const atMs = clock.nowMs();
  if (before?.key !== key) {
    const old = before ? [{ key: before.key, atS: Math.floor(atMs / 1000) }] : [];
    await rows.writeMember(agent, { key, token, atMs, void: [...(before?.void ?? []), ...old] });
  }
  if ((rows.agents.get(agent)?.is ?? 'open') === 'removed')
    await rows.writeAgent(agent, { is: 'open', by, atMs });
  log.info({ agent, token, by: `${by.role} ${by.name}` }, 'agent joined');
}

function agentJwt({ keys, credentialMs, clock }: AdmissionOptions, agent: string, key: string): string {
  const expiresAtS = Math.ceil((clock.nowMs() + credentialMs) / 1000);
  return userToken(keys, { user: key, name: `agent-${agent}`, runs: [ANY_RUN], expiresAtS });
}

function renew(options: AdmissionOptions, agent: string): { jwt: string } {
  const { rows } = options;
  const member = rows.members.get(agent);
  if (member && rows.agents.get(agent)?.is !== 'removed')
    return { jwt: agentJwt(options, agent, member.key) };
  throw new EntrainError(
    'NOT_ALLOWED',
    `Agent "${agent}" did not join, or was removed: it has to join anew.`,
  );
}

async function bar(options: Parts, agent: string, isBarred: boolean): Promise<void> {
  const { rows, clock } = options;
  const member = rows.members.get(agent);
  if (!member) return;
  const others = member.void.filter(({ key }) => key !== member.key);
  // What was signed within this second is void too.
  const own = isBarred ? [{ key: member.key, atS: Math.ceil(clock.nowMs() / 1000) }] : [];
  await rows.writeMember(agent, { ...member, void: [...others, ...own] });
  await options.publish();
}

/**
 * Keys of which all that was signed up to a second is void: those of members, and of tokens that were revoked. A token
 * that was used stays, so that who has not got the answer can ask again.
 */
export function revocationsOf(
  members: Iterable<MemberRow>,
  tokens: Iterable<TokenRow>,
  nowMs: number,
): Record<string, number> {
  const revoked: Record<string, number> = {};
  for (const member of members) for (const { key, atS } of member.void) revoked[key] = atS;
  for (const { key, is, untilMs } of tokens)
    if (is === 'revoked' && untilMs > nowMs) revoked[key] = Math.ceil(nowMs / 1000);
  return revoked;
}

/** One after the other, so that what the server gets last is of the latest rows. */
function publishInTurn(options: AdmissionOptions): () => Promise<void> {
  let before: Promise<unknown> = Promise.resolve();
  return () => {
    const now = before.then(() => publish(options));
    before = now.catch(() => undefined);
    return now;
  };
}

async function publish({ keys, nats, rows, clock, log }: AdmissionOptions): Promise<void> {
  const members = [...rows.members.values(), ...rows.analyzers.values()];
  const revoked = revocationsOf(members, rows.tokens.values(), clock.nowMs());
  const tokens = Object.values(accountTokens(keys.operatorSigning, keys, revoked));
  const system = asUser(credentialsOf(keys.system.jwt, keys.system.seed));
  const { url, tls } = nats;
  await publishAccounts({ url, ...(tls ? { tls } : {}), ...system }, tokens, log);
}

function limited(clock: Clock): () => boolean {
  let [sinceMs, asked] = [-Infinity, 0];
  return () => {
    const nowMs = clock.monotonicMs();
    if (nowMs - sinceMs > MINUTE_MS) [sinceMs, asked] = [nowMs, 0];
    asked += 1;
    return asked <= MOST_A_MINUTE;
  };
}
