/** The tokens of both accounts of a service, by the keys that sign them. */
import { accountOf, AGENTS_ACCOUNT, PROGRAMS_ACCOUNT, type AccountShape } from '../accounts.ts';
import { permissionsOf } from '../permissions.ts';
import { accountJwt, publicOf, userJwt, type UserLimits } from './jwt.ts';

export interface AccountKeys {
  /** Public key of the account of all programs but agents. */
  account: string;
  /** Seed of a signing key of it: signs users. */
  accountSigning: string;
  /** The same of the account of agents. */
  agentsAccount: string;
  agentsSigning: string;
}

/**
 * @param by seed of a signing key of the operator
 * @param revocations keys of users, and the second up to which what was signed for them is void. They stand in both
 *   accounts: an agent that joined under an earlier version is of the account of the programs.
 * @returns token of each account, by its public key
 */
export function accountTokens(
  by: string,
  keys: AccountKeys,
  revocations: Readonly<Record<string, number>>,
): Record<string, string> {
  const { account, accountSigning, agentsAccount, agentsSigning } = keys;
  const make = ({ name, jetstream, exports, imports }: AccountShape, own: string, signing: string): string =>
    accountJwt(by, {
      account: own,
      name,
      signingKeys: [publicOf(signing)],
      revocations,
      jetstream,
      exports,
      imports: { account: own === account ? agentsAccount : account, shared: imports },
    });
  return {
    [account]: make(PROGRAMS_ACCOUNT, account, accountSigning),
    [agentsAccount]: make(AGENTS_ACCOUNT, agentsAccount, agentsSigning),
  };
}

/** Of those who come from other machines. An agent subscribes to about ten subjects, and to three more for each run. */
const LIMITS: Readonly<Record<string, UserLimits>> = {
  agent: { subs: 1024, payload: 256 * 1024 },
  join: { subs: 16, payload: 64 * 1024 },
};

const limitsOf = (user: string): { limits?: UserLimits } => {
  const limits = LIMITS[user.split('-', 1)[0] ?? ''];
  return limits ? { limits } : {};
};

/** The token of a user, in the account where it belongs. */
export function userToken(
  keys: AccountKeys,
  of: { name: string; user: string; runs: readonly string[]; expiresAtS?: number },
): string {
  const { name, runs, ...rest } = of;
  const isAgent = accountOf(name) === AGENTS_ACCOUNT;
  return userJwt(isAgent ? keys.agentsSigning : keys.accountSigning, {
    ...rest,
    name,
    account: isAgent ? keys.agentsAccount : keys.account,
    permissions: permissionsOf(name, runs),
    ...limitsOf(name),
  });
}
