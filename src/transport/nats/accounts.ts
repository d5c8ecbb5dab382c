/**
 * Two accounts of one nats-server: agents, and all other programs with JetStream. nats-server publishes an answer
 * wherever a request says, without asking whether its publisher may publish there. An answer stays within the account
 * of who asked, so in an account without streams there is nothing that such an answer could delete or write.
 */
import { AGENT_SERVICE, subjects } from '../../protocol/subjects.ts';
import type { Shared } from './access/jwt.ts';
import { answersTo } from './inbox.ts';
import { announcing, API_OF_PROGRAMS } from './permissions.ts';

/** Name of the account of all programs but agents; JetStream keeps its streams under it. */
export const PROGRAMS = 'entrain';
const AGENTS = 'agents';

const everyTurn = { episode: '*', turn: '*', agent: '*' } as const;

/**
 * What programs offer to agents. Which of it one agent may use, its permissions say. Each subject has a wildcard: an
 * answer that names one then goes nowhere, while it would be a request of its own on a subject without.
 */
const OF_PROGRAMS: readonly Shared[] = [
  ...[
    subjects.utterance('*', everyTurn),
    subjects.alternative('*', { ...everyTurn, k: '*' }),
    // Also of credentials, whose subject has `join` in the place of the run.
    subjects.renewToken('*', '*'),
    '$JS.ACK.*.*.>',
  ].map((subject): Shared => ({ subject, is: 'service' })),
  ...['CONSUMER.INFO', 'CONSUMER.MSG.NEXT'].map((verb): Shared => ({
    subject: `$JS.API.${verb}.*.*`,
    is: 'service',
    answersOften: verb === 'CONSUMER.MSG.NEXT',
    as: `${API_OF_PROGRAMS}.${verb}.*.*`,
  })),
  ...[
    ...announcing(AGENT_SERVICE),
    subjects.assign('*'),
    subjects.release('*'),
    subjects.promptTokens('*'),
    subjects.memberships('*'),
    subjects.version1Agent('*'),
  ].map((subject): Shared => ({ subject, is: 'stream' })),
];

/** What agents offer to programs: tokens as they are spoken, and answers. */
const OF_AGENTS: readonly Shared[] = [subjects.tokens('*'), ...answersTo('*')].map((subject) => ({
  subject,
  is: 'stream',
}));

export interface AccountShape {
  name: typeof PROGRAMS | typeof AGENTS;
  jetstream: boolean;
  exports: readonly Shared[];
  /** What it takes of what the other account exports. */
  imports: readonly Shared[];
}

export const PROGRAMS_ACCOUNT: AccountShape = {
  name: PROGRAMS,
  jetstream: true,
  exports: OF_PROGRAMS,
  imports: OF_AGENTS,
};
export const AGENTS_ACCOUNT: AccountShape = {
  name: AGENTS,
  jetstream: false,
  exports: OF_AGENTS,
  imports: OF_PROGRAMS,
};

export const accountOf = (user: string): AccountShape =>
  user.startsWith('agent-') ? AGENTS_ACCOUNT : PROGRAMS_ACCOUNT;
