/** What follows from a plan and its study alone, found once, so that no decision looks through the whole plan. */
import { isBasis } from '../../protocol/branches.ts';
import type { Study } from '../../protocol/study.ts';
import { agentsOfEpisode, controlOf, type PlannedEpisode } from '../plan.ts';

export interface PlanIndex {
  placeOf: ReadonlyMap<string, number>;
  /** The agents that play episodes with one another, each such set once. */
  crews: readonly (readonly string[])[];
  /** For each place the number of its crew. */
  crewOf: readonly number[];
  /** For each place that of the episode that must have ended before; undefined where there is none. */
  controls: readonly (number | undefined)[];
  /** The places that wait for a place. */
  waiting: ReadonlyMap<number, readonly number[]>;
  /** Number of the first episodes whose states are kept for patches; no other begins before they have ended. */
  basis: number;
}

export function indexPlan(plan: readonly PlannedEpisode[], study: Study | undefined): PlanIndex {
  const placeOf = new Map(plan.map(({ id }, place) => [id, place]));
  const numbers = new Map<string, number>();
  const crews: string[][] = [];
  const crewOf = plan.map((episode) => {
    const agents = agentsOfEpisode(episode);
    const key = JSON.stringify(agents);
    const number = numbers.get(key) ?? crews.push(agents) - 1;
    numbers.set(key, number);
    return number;
  });
  const controls = plan.map((episode) => {
    const control = study && controlOf(study, plan, episode);
    return control && placeOf.get(control.id);
  });
  const waiting = new Map<number, number[]>();
  for (const [place, control] of controls.entries()) {
    if (control === undefined) continue;
    const known = waiting.get(control);
    if (known) known.push(place);
    else waiting.set(control, [place]);
  }
  // Rounds follow one another in a plan, so those that are kept come first.
  const basis = study ? plan.filter(({ round }) => isBasis(study, round)).length : 0;
  return { placeOf, crews, crewOf, controls, waiting, basis };
}
