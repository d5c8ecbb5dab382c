/** What is said of the quality of a group's talk: counts, never words. Definitions and thresholds: docs/method.md. */

/** Talk in which so much is wrong that a score of it says nothing. */
export type TalkFault = 'empty' | 'repeated' | 'copied' | 'identical';

/**
 * What the talk behind a group's turn pairs was like. Each figure but `drops` counts turn pairs; all but the last two
 * are of the
 * source's utterance, and compare letters, numbers and symbols alone.
 */
export interface TalkReport {
  /** Turn pairs whose utterance the sender has described. */
  pairs: number;
  /** It holds no letter, number or symbol. */
  empty: number;
  /** Its speaker has said the same before in the episode. */
  repeated: number;
  /** Another agent has said the same before in the episode. */
  copied: number;
  /** The same was said at the same turn of another episode of the scenario. */
  identical: number;
  /** It was cut at `maxTokens`. */
  cut: number;
  /** The prompt of the source's or of the target's state lacks earlier turns, because the model's context was full. */
  shortened: number;
  /** How many times the oldest turns were dropped from a prompt of one of the two. */
  drops: number;
  /** Which of them hold for half of the turn pairs or more: then no score of the group counts. */
  faults: TalkFault[];
}
