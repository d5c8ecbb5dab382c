/** What the viewer's server tells its page, as JSON. Types alone: both sides import it. */

export type RunState = 'running' | 'finished' | 'failed' | 'stopped';

/** A line of the list of runs. */
export interface RunEntry {
  run: string;
  study: string;
  state: RunState;
  /** Milliseconds since 1970. */
  startedAtMs: number;
  /** Planned; 0 before the run has begun. */
  episodes: number;
  finished: number;
  conditions: string[];
  /** What the figures allow one to say, in a sentence. */
  verdict: string;
}

export interface PersonView {
  persona: string;
  goal: string;
  secret: string;
}

export interface ScenarioView {
  id: string;
  text: string;
  people: PersonView[];
}

export interface AgentView {
  id: string;
  model: string;
  layers: number;
  dims: number;
}

export interface EpisodeView {
  episode: string;
  scenario: string;
  condition: string;
  /** Agent ids; turn t is spoken by order[t % order.length]. */
  order: string[];
  /** Who reads along in the place of the last speaker. */
  reader?: string;
  turns: number;
  open: boolean;
}

/** Other words from the same history. */
export interface AlternativeView {
  k: number;
  text: string;
}

export interface UtteranceView {
  episode: string;
  turn: number;
  agent: string;
  text: string;
  finish: string;
  alternatives?: AlternativeView[];
}

/** A figure with its 95 % interval. */
export interface Interval {
  value: number;
  low: number;
  high: number;
}

/** Rung 1: do the states go together? SyncR² as published, beside its nulls. */
export interface AssociationView {
  score: number;
  /** The same mean without the clip at 0. */
  unclipped: number;
  shuffled: number | null;
  pseudo: number | null;
}

/** Rung 2: beyond scenario, turn and episode. */
export interface AdjustmentView extends Interval {
  pValue: number;
  qValue: number | null;
  verdict: string | null;
  score: number;
  nullMean: number;
}

/** Rung 3: does what one says change the other? Shares of the variance, from counterfactual branches. */
export interface InterventionView {
  histories: number;
  influence: Interval | null;
  matched: (Interval & { pValue: number }) | null;
  /** Of the test that may be looked at any time. */
  sequentialP: number | null;
  reason?: string;
}

/** One point of a group's curve. */
export interface CurveView extends Interval {
  atMs: number;
  samples: number;
  association: number | null;
}

/** An ordered pair of places in one condition: whose states tell whose. */
export interface GroupView {
  key: string;
  condition: string;
  agents: number;
  /** Places in the speaking order, from 1. */
  sourceRole: number;
  targetRole: number;
  sourceModel: string;
  targetModel: string;
  /** Turns from the one state to the other. */
  distance: number;
  samples: number;
  reason?: string;
  association: AssociationView | null;
  adjustment: AdjustmentView | null;
  intervention: InterventionView | null;
  curve: CurveView[];
}

/** The excess of a condition minus that of a control. */
export interface DifferenceView extends Interval {
  condition: string;
  against: string;
  /** Places of one direction; left out for the mean over both. */
  sourceRole?: number;
  targetRole?: number;
  pValue: number;
}

/** What the figures allow one to say. */
export interface VerdictView {
  claim: string;
  /** The figures behind the claim, one for each condition and direction. */
  evidence: string[];
  /** What the claim does not say. */
  caveat: string;
}

export interface FiguresView {
  /** Until the run has ended and all of it is scored, each figure is one look of many. */
  provisional: boolean;
  groups: GroupView[];
  differences: DifferenceView[];
  verdict: VerdictView;
}

/** A run without its words. */
export interface RunView extends RunEntry {
  seed: number;
  maxTurns: number;
  agents: AgentView[];
  scenarios: ScenarioView[];
  talks: EpisodeView[];
  figures: FiguresView;
  failure?: string;
}

/** A token as it is spoken. */
export interface TokenView {
  episode: string;
  turn: number;
  agent: string;
  text: string;
}

/** What the feed of a run says, each an event of its name. */
export type FeedMessage =
  | { type: 'utterance'; utterance: UtteranceView }
  | { type: 'talk'; talk: EpisodeView }
  | { type: 'run'; entry: RunEntry; failure?: string }
  | { type: 'figures'; figures: FiguresView }
  | { type: 'token'; token: TokenView };
