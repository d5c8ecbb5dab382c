/**
 * How an episode ends early. A speaker that leaves says nothing more: each later turn of its role is an
 * utterance with the finish `absent`, so turn t still belongs to role t mod speakers. The episode goes on while
 * two speakers are left.
 */
import type { Utterance } from './nats-messages.ts';

type Said = readonly Pick<Utterance, 'turn' | 'finish'>[];

/** Roles whose speaker has left. */
export function rolesGone(said: Said, speakers: number): Set<number> {
  return new Set(said.flatMap(({ turn, finish }) => (finish === 'leave' ? [turn % speakers] : [])));
}

/** Why no turn follows; undefined if one does. */
export function endOfTalk(
  said: Said,
  { speakers, maxTurns }: { speakers: number; maxTurns: number },
): 'turns' | 'leave' | undefined {
  if (speakers - rolesGone(said, speakers).size < 2) return 'leave';
  return said.length >= maxTurns ? 'turns' : undefined;
}
