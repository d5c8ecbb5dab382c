/**
 * What an agent knows of the talk of a run. From the stored messages of its episodes, in stream order, it keeps which
 * agent has which role, which utterances count, and their alternatives. A peer that speaks out of turn is ignored.
 */
import { eventSchema, parseMessage, tokenSchema, type Token } from '../protocol/nats-messages.ts';
import { storedKind, tokenPlace } from '../protocol/subjects.ts';
import {
  alternativeFault,
  alternativesOf,
  floorsAfter,
  floorsBeside,
  floorsWith,
  NO_FLOORS,
  parseAlternative,
  parseUtterance,
  turnFault,
  type Floors,
} from '../protocol/turn-order.ts';
import type { Logger } from '../process/log.ts';
import type { StoredMessage } from '../transport/nats/streams.ts';
import type { Preview } from './preview.ts';
import type { Heard, UtteranceInbox } from './utterance-inbox.ts';

export interface Talk {
  /** Takes a stored message, in stream order; a repeated one is ignored. */
  take(message: Pick<StoredMessage, 'subject' | 'text' | 'seq'>): void;
  /** Takes a token of a preview. */
  takeToken(message: { subject: string; text: string }): void;
  /** The agents that have the roles of an episode, the reader last; undefined if its start is not known here. */
  agentsOf(episode: string): readonly string[] | undefined;
}

export function followTalk(parts: { inbox: UtteranceInbox; preview: Preview; log: Logger }): Talk {
  const { inbox, preview, log } = parts;
  let floors = NO_FLOORS;
  let lastSeq = 0;
  return {
    take: (message) => {
      if (message.seq <= lastSeq) return;
      lastSeq = message.seq;
      const { subject } = message;
      orLog(log, subject, () => {
        const { heard, why, ...next } = hearMessage(floors, message);
        floors = next.floors;
        if (why !== undefined) log.warn({ subject, why }, 'message of the talk does not count');
        if (heard) inbox.put(heard);
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

interface Step {
  floors: Floors;
  /** A turn that counts. */
  heard?: Heard;
  /** Why the message does not count. */
  why?: string | undefined;
}

/** The state after a stored message. */
function hearMessage(floors: Floors, message: Pick<StoredMessage, 'subject' | 'text'>): Step {
  switch (storedKind(message.subject).is) {
    case 'event': {
      const about = { code: 'MESSAGE_INVALID', what: 'An event' } as const;
      return { floors: floorsAfter(floors, parseMessage(eventSchema, message.text, about)) };
    }
    case 'alternative': {
      const alternative = parseAlternative(message);
      const why = alternativeFault(floors.get(alternative.episode), alternative);
      return why === undefined ? { floors: floorsBeside(floors, alternative) } : { floors, why };
    }
    case 'utterance': {
      const utterance = parseUtterance(message);
      const floor = floors.get(utterance.episode);
      const why = turnFault(floor, utterance);
      if (why !== undefined) return { floors, why };
      const alternatives = alternativesOf(floor, utterance.agent);
      const heard = alternatives.length > 0 ? { ...utterance, alternatives } : utterance;
      return { floors: floorsWith(floors, utterance), heard };
    }
    case 'spec':
    case 'unknown':
      return { floors };
  }
}

function isSpeaker(
  floor: { agents: readonly string[]; speakers: number } | undefined,
  { turn, agent }: Token,
): boolean {
  return floor !== undefined && floor.agents[turn % floor.speakers] === agent;
}

/** Ignores and logs a message that cannot be read; an exception would end up in the NATS client. */
function orLog(log: Logger, subject: string, job: () => void): void {
  try {
    job();
  } catch (error) {
    log.warn({ err: error, subject }, 'message refused');
  }
}
