/**
 * Tables of a run's talk: `turns`, a row for each utterance, and `episodes`, a row for each speaker of an episode with
 * its outcomes.
 */
import type { RunTalk, TalkEpisode } from '../../process/run-folder/read-talk.ts';
import type { AgentModel } from '../../protocol/agent-model.ts';
import type { Outcome, OutcomeLine } from '../../protocol/outcomes.ts';
import { groupBy } from '../../synchrony/group-by.ts';
import { tableOf, type Column, type Table } from '../../tables/table.ts';
import type { EpisodePart } from './episode-parts.ts';

interface EpisodeRow {
  run: string;
  episode: TalkEpisode;
}

const EPISODE_COLUMNS: readonly Column<EpisodeRow>[] = [
  ['run', 'text', ({ run }) => run],
  ['episode', 'text', ({ episode }) => episode.id],
  ['condition', 'text', ({ episode }) => episode.condition],
  ['scenario', 'text', ({ episode }) => episode.scenario],
  ['pair', 'text', ({ episode }) => episode.order.toSorted().join('+')],
  ['speaking_order', 'text', ({ episode }) => episode.order.join('+')],
  ['seed', 'integer', ({ episode }) => episode.seed],
];

/** Roles are counted from 1. */
export function turnsTable({ facts, episodes }: RunTalk): Table {
  const rows = episodes.flatMap((episode) =>
    episode.turns.map((turn) => ({
      run: facts.run,
      episode,
      turn,
      role: (turn.turn % episode.order.length) + 1,
      model: facts.agents[turn.agent]?.name,
    })),
  );
  return tableOf<(typeof rows)[number]>('turns', rows, [
    ...EPISODE_COLUMNS,
    ['turn', 'integer', ({ turn }) => turn.turn],
    ['agent', 'text', ({ turn }) => turn.agent],
    ['role', 'integer', ({ role }) => role],
    ['model', 'text', ({ model }) => model],
    ['text', 'text', ({ turn }) => turn.text],
    ['finish', 'text', ({ turn }) => turn.finish],
    ['tokens', 'integer', ({ turn }) => turn.tokens],
    ['dropped_turns', 'integer', ({ turn }) => turn.droppedTurns],
  ]);
}

/**
 * A column for each kind of outcome, such as `rule_success` or `judge_goal`; with several judges their models are in
 * the name.
 */
export function episodesTable(
  { facts, episodes }: RunTalk,
  lines: readonly OutcomeLine[],
  parts: readonly EpisodePart[],
): Table {
  const outcomes = lines.filter((line) => line.type === 'outcome');
  const judges = new Set(outcomes.flatMap(({ judge }) => (judge ? [judgeName(judge)] : [])));
  const columnOf = (outcome: Outcome): string => outcomeColumn(outcome, judges.size > 1);
  const values = new Map(
    outcomes.map((one) => [`${one.episode}\n${one.agent}\n${columnOf(one)}`, one.value]),
  );
  const names = [...new Set(outcomes.map(columnOf))].toSorted();
  const rows = episodes.flatMap((episode) =>
    episode.order.map((agent, at) => ({
      run: facts.run,
      episode,
      agent,
      role: at + 1,
      model: facts.agents[agent],
    })),
  );
  return tableOf<SpeakerRow>('episodes', rows, [
    ...EPISODE_COLUMNS,
    ...SPEAKER_COLUMNS,
    ['r2_as_source', 'number', partOf(parts, 'sourceRole')],
    ['r2_as_target', 'number', partOf(parts, 'targetRole')],
    ...names.map((name): Column<SpeakerRow> => [
      name,
      'number',
      ({ episode, agent }) => values.get(`${episode.id}\n${agent}\n${name}`),
    ]),
  ]);
}

interface SpeakerRow extends EpisodeRow {
  agent: string;
  role: number;
  model: AgentModel | undefined;
}

const SPEAKER_COLUMNS: readonly Column<SpeakerRow>[] = [
  ['agent', 'text', ({ agent }) => agent],
  ['role', 'integer', ({ role }) => role],
  ['model', 'text', ({ model }) => model?.name],
  ['model_sha256', 'text', ({ model }) => model?.sha256],
  ['turns', 'integer', ({ episode }) => episode.turns.length],
  ['finish', 'text', ({ episode }) => episode.finish],
  ['started_at_ms', 'integer', ({ episode }) => episode.startedAtMs],
  ['finished_at_ms', 'integer', ({ episode }) => episode.finishedAtMs],
];

/** Mean over the dyads of the episode in which the row's speaker has the place. */
function partOf(parts: readonly EpisodePart[], place: 'sourceRole' | 'targetRole') {
  const sums = groupBy(parts, (part) => `${part.episode}\n${part[place]}`);
  return ({ episode, role }: { episode: TalkEpisode; role: number }): number | undefined => {
    const own = sums.get(`${episode.id}\n${role}`) ?? [];
    return own.length === 0 ? undefined : own.reduce((sum, { r2 }) => sum + r2, 0) / own.length;
  };
}

const judgeName = ({ model, promptSha256 }: NonNullable<Outcome['judge']>): string =>
  `${model}_${promptSha256.slice(0, 8)}`;

function outcomeColumn({ source, name, judge }: Outcome, named: boolean): string {
  const by = named && judge ? `${source}_${judgeName(judge)}` : source;
  return `${by}_${name}`.replaceAll(/[^A-Za-z0-9]+/g, '_');
}
