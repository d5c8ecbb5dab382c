/**
 * Subjects on which answers come back. nats-server does not check which subject a request names for its answer, and
 * lets a user who may answer publish there once. So an agent has no such right: it answers on subjects of its own. And
 * a program answers nowhere but in an inbox, for whoever asks could have it publish in any place where it may.
 */
import { randomUUID } from 'node:crypto';

const PREFIX = '_INBOX_';
/** Programs that look for agents. */
const SEEKERS = ['coordinator', 'supervisor'];
const ASKER = 'coordinator';

/** Prefix of the inbox subjects that a user may subscribe to; the server configuration allows no other. */
export function inboxPrefix(user: string): string {
  return `${PREFIX}${user.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`;
}

/**
 * Whether a program may answer there. `_R_` stands for an inbox of the other account: nats-server makes it of what the
 * request named, and takes it from no client.
 */
export const isInbox = (subject: string | undefined): boolean =>
  subject?.startsWith(PREFIX) === true || subject?.startsWith('_R_.') === true;

/** Where the agent of a request's subject is to answer it; undefined if the subject is no agent's. */
export function answerSubject(requested: string): string | undefined {
  const agent = /^entrain\.v2\.agent\.([^.]+)\./.exec(requested)?.[1];
  return agent === undefined ? undefined : `${inboxPrefix(ASKER)}.agent.${agent}.${randomUUID()}`;
}

/** Where services are to answer who looks for them. Only they learn the subject, which cannot be guessed. */
export const foundSubject = (inbox: string): string => `${inbox}.found.${randomUUID()}`;

/** All subjects on which an agent answers; `*` for any agent. */
export const answersTo = (agent: string): string[] => [
  `${inboxPrefix(ASKER)}.agent.${agent}.*`,
  ...SEEKERS.map((user) => `${inboxPrefix(user)}.found.*`),
];

/** Whether a subject is one that a subscription is for; `*` stands for one token, `>` for all that follow. */
export function isWithin(pattern: string, subject: string): boolean {
  const [wanted, given] = [pattern.split('.'), subject.split('.')];
  if (wanted.at(-1) === '>') return given.length >= wanted.length && fits(wanted.slice(0, -1), given);
  return given.length === wanted.length && fits(wanted, given);
}

const fits = (wanted: readonly string[], given: readonly string[]): boolean =>
  wanted.every((token, at) => token === '*' || token === given[at]);
