/**
 * Counts the quality of the talk behind a group's turn pairs without the words: a turn frame has a digest of the
 * utterance before it. Definitions and thresholds: docs/method.md.
 */
import type { TalkFault, TalkReport } from '../../protocol/reports/talk-report.ts';
import { distanceOf, type Group, type IndexedTurn } from '../ingest/episode-index.ts';

/** A fault in this share of a group's turn pairs makes its scores meaningless. */
const DEGENERATE_SHARE = 1 / 2;
const FAULTS: readonly TalkFault[] = ['empty', 'repeated', 'copied', 'identical'];

export type TalkCounts = Omit<TalkReport, 'faults'>;

type Turn = Pick<IndexedTurn<unknown>, 'talk'>;
type Turns = ReadonlyMap<number, Turn>;

const NONE: TalkCounts = {
  pairs: 0,
  empty: 0,
  repeated: 0,
  copied: 0,
  identical: 0,
  cut: 0,
  shortened: 0,
  drops: 0,
};

/** @returns null if no turn pair has a described utterance */
export function talkReport(scenarios: Iterable<TalkCounts>): TalkReport | null {
  const sum = { ...NONE };
  for (const counts of scenarios)
    for (const name of Object.keys(sum) as (keyof TalkCounts)[]) sum[name] += counts[name];
  if (sum.pairs === 0) return null;
  return { ...sum, faults: FAULTS.filter((fault) => sum[fault] >= DEGENERATE_SHARE * sum.pairs) };
}

/** @param episodes the turns of each episode of one scenario in which the group has turn pairs */
export function countTalk(group: Group, episodes: readonly Turns[]): TalkCounts {
  const counts = { ...NONE };
  const said = episodes.map((turns) => utterancesOf(group, turns));
  const times = timesSaid(said);
  for (const [at, turns] of episodes.entries()) {
    for (const utterance of said[at] ?? []) {
      const { turn, digest } = utterance;
      counts.pairs += 1;
      counts.cut += Number(utterance.cut);
      if (digest === 0) counts.empty += 1;
      else {
        counts.repeated += Number(
          wasSaid(turns, utterance, (by) => by % group.agents === turn % group.agents),
        );
        counts.copied += Number(wasSaid(turns, utterance, (by) => by % group.agents !== turn % group.agents));
      }
      counts.identical += Number((times.get(placeOf(utterance)) ?? 0) > 1);
      counts.shortened += Number(isShortened(group, turns, turn));
    }
    counts.drops += dropsOf(group, turns);
  }
  return counts;
}

interface Utterance {
  turn: number;
  digest: number;
  cut: boolean;
}

/** The source's utterances between two states of the group. */
function utterancesOf(group: Group, turns: Turns): Utterance[] {
  const distance = distanceOf(group);
  return [...turns.keys()]
    .filter((turn) => turn % group.agents === group.sourceRole - 1 && turns.has(turn + distance))
    .sort((a, b) => a - b)
    .flatMap((turn) => {
      const { digest, cut = false } = turns.get(turn + 1)?.talk ?? {};
      return digest === undefined ? [] : [{ turn, digest, cut }];
    });
}

const placeOf = ({ turn, digest }: Utterance): string => `${turn} ${digest}`;

/** Turn and digest → the number of episodes with it. */
function timesSaid(episodes: readonly Utterance[][]): Map<string, number> {
  const times = new Map<string, number>();
  for (const utterance of episodes.flat())
    times.set(placeOf(utterance), (times.get(placeOf(utterance)) ?? 0) + 1);
  return times;
}

/** @param by which turns to look at */
function wasSaid(turns: Turns, { turn, digest }: Utterance, by: (turn: number) => boolean): boolean {
  for (let earlier = 0; earlier < turn; earlier += 1)
    if (by(earlier) && turns.get(earlier + 1)?.talk?.digest === digest) return true;
  return false;
}

function isShortened(group: Group, turns: Turns, turn: number): boolean {
  return [turn, turn + distanceOf(group)].some((at) => (turns.get(at)?.talk?.dropped ?? 0) > 0);
}

function dropsOf({ agents, sourceRole, targetRole }: Group, turns: Turns): number {
  let drops = 0;
  const before = new Map<number, number>();
  for (const turn of [...turns.keys()].sort((a, b) => a - b)) {
    const role = (turn % agents) + 1;
    if (role !== sourceRole && role !== targetRole) continue;
    const dropped = turns.get(turn)?.talk?.dropped ?? 0;
    if (dropped > (before.get(role) ?? 0)) drops += 1;
    before.set(role, dropped);
  }
  return drops;
}
