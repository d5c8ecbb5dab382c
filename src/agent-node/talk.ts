/**
 * What an agent knows of the talk of a run: the stored messages of its episodes in stream order, of which it keeps who
 * has
 * which role and which utterances count. A peer that speaks out of turn is not heard.
 */
import { eventSchema, parseMessage, tokenSchema, type Token } from '../protocol/control.ts';
import { storedKind, tokenPlace } from '../protocol/subjects.ts';
import { floorsAfter, floorsWith, NO_FLOORS, parseUtterance, turnFault } from '../protocol/turn-order.ts';
import type { Logger } from '../process/log.ts';
import type { StoredMessage } from '../transport/nats/streams.ts';
import type { Preview } from './preview.ts';
import type { UtteranceBox } from './utterance-inbox.ts';

export interface Talk {
  /** A stored message, in stream order; one that comes again is ignored. */
  take(message: Pick<StoredMessage, 'subject' | 'text' | 'seq'>): void;
  /** A token of a preview. */
  takeToken(message: { subject: string; text: string }): void;
  /** Who has the roles of an episode now, the reader last; undefined while its start is not known here. */
  agentsOf(episode: string): readonly string[] | undefined;
}

export function createTalk(parts: { box: UtteranceBox; preview: Preview; log: Logger }): Talk {
  const { box, preview, log } = parts;
  let floors = NO_FLOORS;
  let lastSeq = 0;
  const utterance = (message: Pick<StoredMessage, 'subject' | 'text'>): void => {
    const said = parseUtterance(message);
    const why = turnFault(floors.get(said.episode), said);
    if (why !== undefined) return log.warn({ subject: message.subject, why }, 'utterance does not count');
    floors = floorsWith(floors, said);
    box.put(said);
  };
  return {
    take: (message) => {
      if (message.seq <= lastSeq) return;
      lastSeq = message.seq;
      orLog(log, message.subject, () => {
        const kind = storedKind(message.subject);
        if (kind.is === 'utterance') utterance(message);
        if (kind.is === 'event')
          floors = floorsAfter(
            floors,
            parseMessage(eventSchema, message.text, { code: 'MESSAGE_INVALID', what: 'An event' }),
          );
      });
    },
    takeToken: ({ subject, text }) =>
      orLog(log, subject, () => {
        const token = parseMessage(tokenSchema, text, { code: 'MESSAGE_INVALID', what: 'A token' });
        const { episode, agent } = tokenPlace(subject);
        if (token.episode !== episode || token.agent !== agent) return;
        const floor = floors.get(episode);
        if (isSpeaker(floor, token)) preview.put(token);
      }),
    agentsOf: (episode) => floors.get(episode)?.agents,
  };
}

function isSpeaker(
  floor: { agents: readonly string[]; speakers: number } | undefined,
  { turn, agent }: Token,
): boolean {
  return floor !== undefined && floor.agents[turn % floor.speakers] === agent;
}

/** A message that cannot be read is not heard; a throw would end up in the NATS client. */
function orLog(log: Logger, subject: string, job: () => void): void {
  try {
    job();
  } catch (error) {
    log.warn({ err: error, subject }, 'message refused');
  }
}
