/** Types of the JSON that the viewer's server sends to its page; both sides import it. */
import type { Verdict } from '../protocol/verdict.ts';

/** `scoring`: the talk is over, and its last figures are being computed. */
export type RunState = 'running' | 'scoring' | 'finished' | 'failed' | 'stopped';

/** An entry of the list of runs. */
export interface RunEntry {
  run: string;
  study: string;
  state: RunState;
  /** Milliseconds since 1970. */
  startedAtMs: number;
  /** Number of planned episodes; 0 before the run has begun. */
  episodes: number;
  finished: number;
  conditions: string[];
  /** What the figures show, in one sentence. */
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
  /** Number among the episodes of its scenario, agents and condition, from 1; absent where there is one alone. */
  round?: number;
  /** Agent ids; turn t is spoken by order[t % order.length]. */
  order: string[];
  /** The agent that only reads, in the place of the last speaker. */
  reader?: string;
  turns: number;
  open: boolean;
}

/** An alternative utterance after the same history. */
export interface AlternativeView {
  k: number;
  text: string;
  /** Where the speaker's state was moved: at which layer, by so many standard deviations or to whose state. */
  moved?: { layer: number; by: string };
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

/** Rung 1, association: SyncR² as published, with its nulls. */
export interface AssociationView {
  score: number;
  /** The same mean, not clipped at 0. */
  unclipped: number;
  shuffled: number | null;
  pseudo: number | null;
  /** SyncR² of the text features alone. */
  text: number | null;
}

/** Rung 2, adjustment: association beyond scenario, turn and episode. */
export interface AdjustmentView extends Interval {
  pValue: number;
  qValue: number | null;
  verdict: string | null;
  score: number;
  nullMean: number;
}

/** Rung 3, intervention: share of the variance caused by the other's words, from counterfactual branches. */
export interface InterventionView {
  histories: number;
  influence: Interval | null;
  matched: (Interval & { pValue: number }) | null;
  /** p-value of the sequential test. */
  sequentialP: number | null;
  /** Absent where no state was moved. */
  patches?: PatchView[];
  reason?: string;
}

/** What moving the source's state before it speaks does to the target's, at one layer. */
export interface PatchView {
  layer: number;
  /** In standard deviations; absent where the state of another episode took its place. */
  size?: number;
  histories: number;
  /** Share of the variance of the target's state that the moved state makes. */
  influence: Interval | null;
  /** How much of the movement the direction predicts, with the p-value of the exact test. */
  follows: (Interval & { pValue: number }) | null;
  reason?: string;
}

/** One point of a group's curve. */
export interface CurveView extends Interval {
  atMs: number;
  samples: number;
  association: number | null;
}

/** R² of strict mode for every pair of layers, beside its mean over all permutations [source layers][target layers]. */
export interface LayerMapView {
  map: number[][];
  nulls: number[][];
}

/** The excess of the partner's state some turns later. */
export interface LagView extends Interval {
  lag: number;
}

/** An ordered pair of places in one condition: the predicting and the predicted speaker. */
export interface GroupView {
  key: string;
  condition: string;
  agents: number;
  /** Places in the speaking order, from 1. */
  sourceRole: number;
  targetRole: number;
  sourceModel: string;
  targetModel: string;
  /** Number of turns from the source's state to the target's. */
  distance: number;
  samples: number;
  reason?: string;
  association: AssociationView | null;
  adjustment: AdjustmentView | null;
  intervention: InterventionView | null;
  layerMap: LayerMapView | null;
  /** From the next turn on; empty before the secondary analyses. */
  lags: LagView[];
  curve: CurveView[];
}

/** The excess of a condition minus that of a control. */
export interface DifferenceView extends Interval {
  condition: string;
  against: string;
  /** Place of the source; absent for the mean over both directions. */
  sourceRole?: number;
  targetRole?: number;
  pValue: number;
}

export interface FiguresView {
  /** Whether figures may still change: true until the run has ended and all of it is scored. */
  provisional: boolean;
  groups: GroupView[];
  differences: DifferenceView[];
  verdict: Verdict;
}

/** One run, without the words of its episodes. */
export interface RunView extends RunEntry {
  seed: number;
  maxTurns: number;
  /** Of sampling. */
  temperature: number;
  /** Whether turns of the study branch. */
  hasBranches: boolean;
  agents: AgentView[];
  scenarios: ScenarioView[];
  talks: EpisodeView[];
  figures: FiguresView;
  failure?: string;
}

/** What one utterance did to one listener; the place is that of the listener in the speaking order, from 1. */
export interface EffectView {
  turn: number;
  targetRole: number;
  /** By alternative, 0 for what was said: how far it moved the listener, in standard deviations of its state. */
  moved?: Record<string, number>;
  /** Its own R² of strict mode: the mean over all turn pairs is the mean of the layer map. */
  part?: number;
}

/** The effects of one episode, with what they are held against in the whole run. */
export interface EffectsView {
  effects: EffectView[];
  /** Values at which a colour is full: the 95th percentile over the run. 0 where there is none. */
  movedScale: number;
  partScale: number;
  /** Mean part under the null of the permutations; null where there is none. */
  partNull: number | null;
}

/** One thing that can be well or not. */
export interface HealthPart {
  name: string;
  state: 'well' | 'wait' | 'fault';
  text: string;
  /** What to do about a fault. */
  remedy?: string;
  /** Its place in the glossary. */
  term?: string;
}

/** A token as it is spoken. */
export interface TokenView {
  episode: string;
  turn: number;
  agent: string;
  text: string;
}

/** Messages of a run's feed; `type` is the name of the server-sent event. */
export type FeedMessage =
  | { type: 'utterance'; utterance: UtteranceView }
  | { type: 'talk'; talk: EpisodeView }
  | { type: 'run'; entry: RunEntry; failure?: string }
  | { type: 'figures'; figures: FiguresView }
  | { type: 'health'; parts: HealthPart[] }
  | { type: 'token'; token: TokenView };
