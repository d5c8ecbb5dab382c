/** The messages by which a machine joins a service, and the rows and keys that the coordinator keeps for it. */
import { z } from 'zod';
import { callerSchema } from './service-messages.ts';
import { NAME_PATTERN } from './subjects.ts';

const name = z.string().regex(NAME_PATTERN, 'expected 1 to 64 letters, digits, "-" or "_"');
const publicKey = z.string().regex(/^U[A-Z2-7]{55}$/, 'expected the public nkey of a user');
const newcomer = z.object({ agent: name, key: publicKey });
const HOST = /^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/;

/** An analyzer that wants in; `request` is for a certificate (PKCS #10, PEM) under the host by which it is reached. */
const newAnalyzer = z.object({
  id: name,
  key: publicKey,
  host: z.string().regex(HOST, 'expected a host name or an address'),
  request: z.string().max(4096),
});

/** Whether the program works in an account of its own for agents; earlier versions do not. */
const knowsAccounts = z.boolean().default(false);
/** What a program asks when its credentials are half over. */
export const renewRequestSchema = z.object({ knowsAccounts });

/**
 * What a machine asks with a token: its agents, each with the public half of a key that it made itself, or its
 * analyzer.
 */
export const joinRequestSchema = z
  .object({
    agents: z.array(newcomer).max(64).default([]),
    analyzer: newAnalyzer.optional(),
    knowsAccounts,
  })
  .refine(
    ({ agents, analyzer }) => agents.length > 0 !== (analyzer !== undefined),
    'expected agents, or one analyzer',
  );

/** What an analyzer gets: token of NATS, certificate with the authority's behind it, key that checks stream tokens. */
export const joinedAnalyzerSchema = z.object({ jwt: z.string(), cert: z.string(), streamKey: z.string() });
export const joinedSchema = z.object({
  agents: z.array(z.object({ agent: name, jwt: z.string() })).default([]),
  analyzer: joinedAnalyzerSchema.optional(),
});
/** What an analyzer asks that has half of its time behind it; `cert` if that is so of its certificate as well. */
export const renewAnalyzerSchema = z.object({ cert: z.string().max(8192).optional() });
export const renewedSchema = z.object({ jwt: z.string(), cert: z.string().optional() });

/** A new token, or what became of one. */
export const tokenAnswerSchema = z.object({ id: name, token: z.string().optional(), untilMs: z.number() });

/** A token that somebody was given. `key` is the NATS user by which the machine asks; the token alone has its seed. */
export const tokenRowSchema = z.object({
  key: publicKey,
  is: z.enum(['open', 'used', 'revoked']),
  /** Whom it lets in. */
  admits: z.enum(['agents', 'analyzer']).default('agents'),
  by: callerSchema,
  atMs: z.number(),
  untilMs: z.number(),
  agents: z.array(newcomer).default([]),
  analyzer: newAnalyzer.optional(),
});

/** A member that joined: its key, and the keys of this name of which all that was signed up to a second is void. */
export const memberRowSchema = z.object({
  key: publicKey,
  token: name,
  atMs: z.number(),
  void: z.array(z.object({ key: publicKey, atS: z.int() })).default([]),
});

/** The file of `--join-keys`: by what the coordinator lets agents in. */
export const joinKeysSchema = z.object({
  /** Address of the NATS server as other machines reach it. */
  url: z.string(),
  /** SHA-256 of the authority's public key (SPKI), base64url. */
  authority: z.string().regex(/^[\w-]{43}$/),
  /** The authority itself, PEM: signs certificates of analyzers. Without it none joins. */
  authorityPair: z.object({ cert: z.string(), key: z.string() }).optional(),
  account: z.string(),
  /** Seed of a signing key of the account: signs users. */
  accountSigning: z.string(),
  /** The same of the account of agents. */
  agentsAccount: z.string(),
  agentsSigning: z.string(),
  /** Seed of a signing key of the operator: signs both accounts, for revocations. */
  operatorSigning: z.string(),
  /** A user of the system account, who may publish an account. */
  system: z.object({ jwt: z.string(), seed: z.string() }),
});

export type RenewAnalyzer = z.infer<typeof renewAnalyzerSchema>;
export type Renewed = z.infer<typeof renewedSchema>;
export type JoinRequest = z.infer<typeof joinRequestSchema>;
export type NewAnalyzer = z.infer<typeof newAnalyzer>;
export type JoinedAnalyzer = z.infer<typeof joinedAnalyzerSchema>;
export type Joined = z.infer<typeof joinedSchema>;
export type TokenRow = z.infer<typeof tokenRowSchema>;
export type MemberRow = z.infer<typeof memberRowSchema>;
export type JoinKeys = z.infer<typeof joinKeysSchema>;

/** What a service keeps of the NATS operator that it made, as seeds and as the operator's own token. */
export const operatorKeysSchema = z.object({
  operatorSeed: z.string(),
  operator: z.string(),
  operatorSigning: z.string(),
  /** Public key of the account of all programs but agents. */
  account: z.string(),
  accountSigning: z.string(),
  /** The account of agents. */
  agentsAccount: z.string(),
  agentsSigning: z.string(),
  /** Public key and seed of the account of the server itself. */
  system: z.string(),
  systemSeed: z.string(),
});

/** As an earlier version wrote them, which had one account for all. */
export const earlierOperatorKeysSchema = operatorKeysSchema.partial({
  agentsAccount: true,
  agentsSigning: true,
});

export type OperatorKeys = z.infer<typeof operatorKeysSchema>;

/** What a machine keeps of the service that it joined. */
export const joinedMachineSchema = z.object({
  url: z.string(),
  /** Name of its analyzer, and the host by which agents reach it. */
  analyzer: z.object({ id: name, host: z.string() }).optional(),
});
export type JoinedMachine = z.infer<typeof joinedMachineSchema>;
