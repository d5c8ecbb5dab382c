/**
 * NATS JSON web tokens: who is an operator, an account and a user, signed with nkeys. nats-server checks them, so no
 * file of users has to be read again.
 */
import { randomBytes } from 'node:crypto';
import { systemClock } from '../../../process/clock.ts';
import { createAccount, createOperator, createUser, fromSeed, type KeyPair } from 'nkeys.js';

export interface Key {
  public: string;
  /** Private half; whoever has it can sign. */
  seed: string;
}

/** Subjects that a user may use. */
export interface Permissions {
  publish: string[];
  subscribe: string[];
  /**
   * Whether it may publish once on any subject that a message it received names for its answer. Who sends it messages
   * can so let it publish anywhere, hence programs alone that answer nobody but who may ask them.
   */
  answers?: boolean;
}

const MAKERS = { operator: createOperator, account: createAccount, user: createUser } as const;
const NS_OF_MINUTE = 60e9;
/** No limit, in the words of nats-server. */
const FREE = -1;

export function makeKey(kind: keyof typeof MAKERS): Key {
  const pair: KeyPair = MAKERS[kind]();
  return { public: pair.getPublicKey(), seed: Buffer.from(pair.getSeed()).toString() };
}

export const publicOf = (seed: string): string => fromSeed(Buffer.from(seed)).getPublicKey();

/** @param by seed of the operator itself */
export function operatorJwt(by: string, of: { signingKeys: string[]; systemAccount: string }): string {
  const nats = { signing_keys: of.signingKeys, system_account: of.systemAccount, type: 'operator' };
  return sign(by, { sub: publicOf(by), name: 'entrain' }, nats);
}

/** A subject that one account offers to the other. */
export interface Shared {
  subject: string;
  /** A service is asked and answers; a stream only passes messages on. */
  is: 'service' | 'stream';
  /** Whether a request of this service has several answers. */
  answersOften?: boolean;
  /** Subject by which the other account knows it; left out, it is the same. */
  as?: string;
}

export interface AccountOf {
  account: string;
  name: string;
  signingKeys: string[];
  /** Public keys of users, and the second up to which what was signed for them is void. */
  revocations?: Readonly<Record<string, number>>;
  jetstream: boolean;
  exports?: readonly Shared[];
  imports?: { account: string; shared: readonly Shared[] };
}

/** @param by seed of the operator or of a signing key of it */
export function accountJwt(by: string, of: AccountOf): string {
  const room = of.jetstream ? { mem_storage: FREE, disk_storage: FREE, streams: FREE, consumer: FREE } : {};
  const free = {
    subs: FREE,
    data: FREE,
    payload: FREE,
    imports: FREE,
    exports: FREE,
    conn: FREE,
    leaf: FREE,
  };
  const nats = {
    limits: { ...free, ...room, wildcards: true },
    signing_keys: of.signingKeys,
    revocations: of.revocations ?? {},
    exports: (of.exports ?? []).map(({ subject, is, answersOften }) => ({
      subject,
      name: subject,
      type: is,
      ...(is === 'service' ? { response_type: answersOften ? 'Stream' : 'Singleton' } : {}),
    })),
    imports: (of.imports?.shared ?? []).map(({ subject, is, as }) => ({
      subject,
      name: subject,
      type: is,
      account: of.imports?.account,
      ...(as === undefined ? {} : { local_subject: numbered(as) }),
    })),
    type: 'account',
  };
  return sign(by, { sub: of.account, name: of.name }, nats);
}

/** What a connection of a user may take of the server. */
export interface UserLimits {
  /** Subscriptions at a time. */
  subs: number;
  /** Bytes of one message. */
  payload: number;
}

export interface UserOf {
  /** Public key of the user. */
  user: string;
  name: string;
  account: string;
  permissions: Permissions;
  /** Left out, it has none but those of the server. */
  limits?: UserLimits;
  /** Seconds since 1970; without it the token has no end. */
  expiresAtS?: number;
}

/** @param by seed of a signing key of the account */
export function userJwt(by: string, of: UserOf): string {
  const { user, name, account, permissions, limits, expiresAtS } = of;
  const nats = {
    pub: listed(permissions.publish),
    sub: listed(permissions.subscribe),
    ...(permissions.answers ? { resp: { max: 1, ttl: NS_OF_MINUTE } } : {}),
    subs: limits?.subs ?? FREE,
    // nats-server does not count it.
    data: FREE,
    payload: limits?.payload ?? FREE,
    issuer_account: account,
    type: 'user',
  };
  return sign(by, { sub: user, name, ...(expiresAtS === undefined ? {} : { exp: expiresAtS }) }, nats);
}

/** An empty list would allow everything. */
const listed = (subjects: string[]): object => (subjects.length > 0 ? { allow: subjects } : { deny: ['>'] });

/** A local subject names the wildcards of the subject by their number. */
function numbered(subject: string): string {
  let at = 0;
  return subject.replaceAll('*', () => `$${(at += 1)}`);
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function sign(seed: string, claims: object, nats: object): string {
  const pair = fromSeed(Buffer.from(seed));
  const jti = randomBytes(16).toString('hex');
  const issued = { jti, iat: Math.floor(systemClock.nowMs() / 1000), iss: pair.getPublicKey() };
  const body = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part({ ...issued, ...claims, nats: { ...nats, version: 2 } })}`;
  return `${body}.${Buffer.from(pair.sign(Buffer.from(body))).toString('base64url')}`;
}

export interface UserClaims {
  name: string;
  user: string;
  issuedAtS: number;
  expiresAtS?: number;
}

const readClaims = (jwt: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

/** Whom an account token revokes; nobody where it is none. */
export function revocationsIn(jwt: string): Record<string, number> {
  try {
    const { nats } = readClaims(jwt) as { nats?: { revocations?: Record<string, number> } };
    return nats?.revocations ?? {};
  } catch {
    return {};
  }
}

/** What a user token says; its signature is the server's to check. Undefined where it is none. */
export function readUserJwt(jwt: string): UserClaims | undefined {
  try {
    const { name, sub, iat, exp } = readClaims(jwt);
    if (typeof name !== 'string' || typeof sub !== 'string' || typeof iat !== 'number') return undefined;
    return { name, user: sub, issuedAtS: iat, ...(typeof exp === 'number' ? { expiresAtS: exp } : {}) };
  } catch {
    return undefined;
  }
}
