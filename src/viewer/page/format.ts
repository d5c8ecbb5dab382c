/** Formats figures, directions and conditions for display. */
import { shortNames } from '../../protocol/reports/short-names.ts';
import type { EpisodeView, RunView } from '../view-data.ts';

export { percent } from '../../protocol/verdict.ts';

export const figure = (value: number): string => value.toFixed(3).replace('-', '−');
export const signed = (value: number): string => (value > 0 ? '+' : '') + figure(value);
export const probability = (value: number): string => (value < 0.001 ? '< 0.001' : value.toFixed(3));

const ordinal = (place: number): string => `${place}${['st', 'nd', 'rd'][place - 1] ?? 'th'}`;

/** A short description of each condition. */
export const MEANING: Readonly<Record<string, string>> = {
  live: 'they hear one another',
  monologue: 'both speak, neither hears',
  reader: 'a third one only reads',
  'shared-input': 'both read the same third text',
  random: 'random text in place of the other’s',
};

export const meaningOf = (condition: string): string =>
  MEANING[condition] ?? (condition.startsWith('dose:') ? `they hear a share of ${condition.slice(5)}` : '');

/**
 * `ada → ben` if each place always has the same agent; else by models, `small → large` where the first speaker is the
 * source, `small (2nd) → large` where the second one is; with one model alone `1st → 2nd`.
 */
export function directionOf(of: Directed, run: RunView): string {
  const { sourceRole, targetRole } = of;
  if (sourceRole === undefined || targetRole === undefined) return 'both ways';
  const [source, target] = [sourceRole, targetRole].map((role) => agentAt(role, of.condition, run));
  const models = source === undefined || target === undefined ? modelsOf(of, run) : undefined;
  if (!models) return `${source ?? ordinal(sourceRole)} → ${target ?? ordinal(targetRole)}`;
  const speaksLater = sourceRole > targetRole ? ` (${ordinal(sourceRole)})` : '';
  return `${models.source}${speaksLater} → ${models.target}`;
}

/** The agent that has the place in all episodes. */
function agentAt(role: number, condition: string, run: RunView): string | undefined {
  const readers = condition.startsWith('reader')
    ? run.talks.find(({ reader }) => reader !== undefined)
    : undefined;
  if (readers?.reader !== undefined && role === readers.order.length) return readers.reader;
  const names = new Set(run.talks.map(({ order }) => order[role - 1]));
  const [name] = names;
  return names.size === 1 ? name : undefined;
}

/** Undefined where all models of the run are the same one, or it is not known between which this is. */
function modelsOf(
  { sourceModel, targetModel }: Directed,
  { figures: { groups } }: RunView,
): { source: string; target: string } | undefined {
  const all = [...new Set(groups.flatMap((group) => [group.sourceModel, group.targetModel]))];
  if (all.length < 2 || sourceModel === undefined || targetModel === undefined) return undefined;
  const short = new Map(shortNames(all).map((name, at) => [all[at], name]));
  return { source: short.get(sourceModel) ?? sourceModel, target: short.get(targetModel) ?? targetModel };
}

interface Directed {
  condition: string;
  sourceRole: number | undefined;
  targetRole: number | undefined;
  sourceModel?: string | undefined;
  targetModel?: string | undefined;
}

const HUES = ['hue-a', 'hue-b', 'hue-c', 'hue-d'] as const;

/** Whether an episode goes on at this moment: not one that a stopped run left open. */
export const isSpoken = ({ state }: Pick<RunView, 'state'>, { open }: EpisodeView): boolean =>
  open && state === 'running';

/** The number of an episode: `e0031` → `31`. */
export const numberOf = ({ episode }: Pick<EpisodeView, 'episode'>): string =>
  episode.replace(/^e0*(?=\d)/, '');

/** What tells an episode from others of its scenario: `e0031, round 2`. */
export const placeOf = ({ episode, round }: Pick<EpisodeView, 'episode' | 'round'>): string =>
  round === undefined ? episode : `${episode}, round ${round}`;

/** The turn that is being spoken in an open episode, from 1. */
export const turnText = ({ turns }: { turns: number }, maxTurns: number): string =>
  `turn ${Math.min(turns + 1, Math.max(1, maxTurns))}`;

/** The class that colours a place in the speaking order. */
export const hueOf = (role: number): string => HUES[role % HUES.length] ?? 'hue-a';

const CONDITIONS = ['live', 'reader', 'paper-reader', 'monologue', 'shared-input', 'random'];
export const conditionClass = (condition: string): string =>
  `cond-${CONDITIONS.includes(condition) ? condition : 'dose'}`;

export function byCondition(a: { condition: string }, b: { condition: string }): number {
  const place = ({ condition }: { condition: string }): number => {
    const at = CONDITIONS.indexOf(condition);
    return at < 0 ? CONDITIONS.length : at;
  };
  return place(a) - place(b) || a.condition.localeCompare(b.condition);
}
