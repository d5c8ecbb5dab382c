/**
 * Variance components of an unbalanced nested random-effects model, by the method of moments (analysis of variance):
 *
 *   y = μ + scenario + episode(scenario) + history(episode) + alternative(history)
 *
 * Each level's sum of squares is equated with its expectation:
 *
 *   E SS_alternative = (N − h) σ²_a
 *   E SS_history     = (N − Q₁) σ²_h + (h − b) σ²_a
 *   E SS_episode     = (N − Q₂) σ²_e + (Q₁ − Q₃) σ²_h + (b − S) σ²_a
 *   E SS_scenario    = (N − Q₄) σ²_s + (Q₂ − Q₅) σ²_e + (Q₃ − Q₆) σ²_h + (S − 1) σ²_a
 *
 *   Q₁ = Σ n_h² / n_e,  Q₂ = Σ n_e² / n_s,  Q₃ = Σ n_h² / n_s,  Q₄, Q₅, Q₆ = Σ n_s² / N, Σ n_e² / N, Σ n_h² / N
 *
 * A level without degrees of freedom has no component of its own; it is part of the level above. Components are not
 * clipped at 0.
 * Reference: Searle, Casella, McCulloch, Variance Components, 1992, chapter 3 and appendix F.
 */

/** Sums over one scenario. Sums of squares are over dimensions divided by their standard deviation. */
export interface ScenarioSquares {
  alternative: number;
  history: number;
  episode: number;
  /** Numbers of rows (n_s), histories and episodes. */
  rows: number;
  histories: number;
  episodes: number;
  /** Σ n_h² / n_e, Σ n_h², Σ n_e². */
  historiesInEpisodes: number;
  squaredHistories: number;
  squaredEpisodes: number;
}

export interface Components {
  alternative: number;
  history: number;
  episode: number;
  scenario: number;
}

/** @param betweenScenarios Σ n_s ‖mean of s − grand mean‖² */
export function varianceComponents(
  scenarios: readonly ScenarioSquares[],
  betweenScenarios: number,
): Components {
  const sum = (of: (scenario: ScenarioSquares) => number): number =>
    scenarios.reduce((total, scenario) => total + of(scenario), 0);
  const n = sum(({ rows }) => rows);
  const h = sum(({ histories }) => histories);
  const b = sum(({ episodes }) => episodes);
  const q1 = sum(({ historiesInEpisodes }) => historiesInEpisodes);
  const q2 = sum(({ squaredEpisodes, rows }) => squaredEpisodes / rows);
  const q3 = sum(({ squaredHistories, rows }) => squaredHistories / rows);
  const q4 = sum(({ rows }) => rows * rows) / n;
  const q5 = sum(({ squaredEpisodes }) => squaredEpisodes) / n;
  const q6 = sum(({ squaredHistories }) => squaredHistories) / n;
  const alternative = component(
    sum((s) => s.alternative),
    n - h,
  );
  const history = component(sum((s) => s.history) - (h - b) * alternative, h > b ? n - q1 : 0);
  const episodes = sum((s) => s.episode) - (q1 - q3) * history - (b - scenarios.length) * alternative;
  const episode = component(episodes, b > scenarios.length ? n - q2 : 0);
  const rest =
    betweenScenarios - (q2 - q5) * episode - (q3 - q6) * history - (scenarios.length - 1) * alternative;
  const scenario = component(rest, scenarios.length > 1 ? n - q4 : 0);
  return { alternative, history, episode, scenario };
}

const component = (squares: number, coefficient: number): number =>
  coefficient > 0 ? squares / coefficient : 0;
