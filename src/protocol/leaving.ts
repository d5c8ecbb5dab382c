/**
 * How talk ends. Whoever leaves says nothing more: at each later turn of the role an utterance of finish `absent`
 * stands in its place, so
 * turn t stays that of role t mod speakers. Talk goes on while two are there.
 */
import type { Utterance } from './control.ts';

type Said = readonly Pick<Utterance, 'turn' | 'finish'>[];

/** Roles whose speaker has left. */
export function rolesGone(said: Said, speakers: number): Set<number> {
  return new Set(said.flatMap(({ turn, finish }) => (finish === 'leave' ? [turn % speakers] : [])));
}

/** Why no turn follows; undefined while one does. */
export function endOfTalk(
  said: Said,
  { speakers, maxTurns }: { speakers: number; maxTurns: number },
): 'turns' | 'leave' | undefined {
  if (speakers - rolesGone(said, speakers).size < 2) return 'leave';
  return said.length >= maxTurns ? 'turns' : undefined;
}
