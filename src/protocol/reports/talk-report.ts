/** What is said of the quality of a group's talk: counts, never words. Definitions and thresholds: docs/method.md. */

/** Faults of the talk that make a score meaningless. */
export type TalkFault = 'empty' | 'repeated' | 'copied' | 'identical';

/**
 * Quality of the talk behind a group's turn pairs. Every figure but `drops` counts turn pairs. All but the last two
 * describe the source's utterance, and compare only letters, numbers and symbols.
 */
export interface TalkReport {
  /** Turn pairs whose utterance the sender has described. */
  pairs: number;
  /** The utterance has no letter, number or symbol. */
  empty: number;
  /** The speaker said the same earlier in the episode. */
  repeated: number;
  /** Another agent said the same earlier in the episode. */
  copied: number;
  /** The same was said at the same turn of another episode of the scenario. */
  identical: number;
  /** The utterance was cut at `maxTokens`. */
  cut: number;
  /** The prompt of the source's or the target's state lacks earlier turns, because the model's context was full. */
  shortened: number;
  /** How often the oldest turns were dropped from a prompt of either agent. */
  drops: number;
  /** Faults that apply to at least half of the turn pairs; then no score of the group counts. */
  faults: TalkFault[];
}
