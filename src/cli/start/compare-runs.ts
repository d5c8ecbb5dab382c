/** Are two runs equal: the models, every turn word for word, and the last published score of every group? */
import { join } from 'node:path';
import { readLines } from '../../process/run-folder/read-lines.ts';
import { readTalk, type RunTalk } from '../../process/run-folder/read-talk.ts';

export interface Comparison {
  turns: number;
  scores: number;
  /** A sentence for each difference of a kind, the first of its kind. */
  differences: string[];
}

/** Figures differ beyond what the order of additions leaves: this share of the larger one. */
const ROUNDING = 1e-9;
const FIGURES = ['strict.score', 'strict.excess', 'strict.pValue', 'paper.unclipped', 'samples'];

/** @throws EntrainError `RUN_INVALID` */
export async function compareRuns(first: string, second: string): Promise<Comparison> {
  const talks = [await readTalk(first), await readTalk(second)] as const;
  const scores = [await lastScores(first), await lastScores(second)] as const;
  return {
    turns: turnsOf(talks[0]).size,
    scores: scores[0].size,
    differences: [
      ...modelDifferences(...talks),
      ...turnDifferences(...talks),
      ...scoreDifferences(...scores),
    ],
  };
}

function modelDifferences({ facts: first }: RunTalk, { facts: second }: RunTalk): string[] {
  const agents = [...new Set([...Object.keys(first.agents), ...Object.keys(second.agents)])];
  return agents
    .filter((agent) => first.agents[agent]?.sha256 !== second.agents[agent]?.sha256)
    .map((agent) => `${agent} has another model: ${nameOf(first, agent)} and ${nameOf(second, agent)}`);
}

const nameOf = ({ agents }: RunTalk['facts'], agent: string): string => {
  const model = agents[agent];
  return model ? `${model.name} (${model.sha256.slice(0, 12)})` : 'none';
};

const turnsOf = ({ episodes }: RunTalk): Map<string, string> =>
  new Map(
    episodes.flatMap(({ id, turns }) =>
      turns.map(({ turn, agent, text, finish }) => [
        `turn ${turn} of ${id}`,
        JSON.stringify([agent, text, finish]),
      ]),
    ),
  );

function turnDifferences(first: RunTalk, second: RunTalk): string[] {
  const [one, other] = [turnsOf(first), turnsOf(second)];
  const places = [...new Set([...one.keys(), ...other.keys()])].filter(
    (place) => one.get(place) !== other.get(place),
  );
  const [place] = places;
  if (place === undefined) return [];
  const said = [one, other].map((turns) => turns.get(place) ?? 'nothing');
  return [`${places.length} turns differ, first ${place}: ${said.join(' and ')}`];
}

type Line = Record<string, unknown>;

/** By group; of a run without scores none. */
async function lastScores(folder: string): Promise<Map<string, Line>> {
  const lines = await readLines(join(folder, 'scores.jsonl'), (line) => JSON.parse(line) as Line);
  const scores = (lines ?? []).filter(({ type }) => type === 'score');
  return new Map(scores.map((line) => [String(line['group']), line]));
}

function scoreDifferences(first: ReadonlyMap<string, Line>, second: ReadonlyMap<string, Line>): string[] {
  const groups = [...new Set([...first.keys(), ...second.keys()])];
  const found = groups.flatMap((group) => {
    const [one, other] = [first.get(group), second.get(group)];
    const field = FIGURES.find((path) => !areEqual(figure(one, path), figure(other, path)));
    const condition = (one ?? other)?.['condition'];
    const direction = (one ?? other)?.['direction'];
    if (field === undefined) return [];
    const values = [figure(one, field), figure(other, field)].map((value) =>
      value === undefined || value === null ? 'none' : JSON.stringify(value),
    );
    return [`${String(condition)}, ${String(direction)}: ${field} is ${values.join(' and ')}`];
  });
  return found.length === 0 ? [] : [`${found.length} scores differ, first ${found[0]}`];
}

function figure(line: Line | undefined, path: string): unknown {
  return path.split('.').reduce<unknown>((value, field) => (value as Line | null | undefined)?.[field], line);
}

function areEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== 'number' || typeof b !== 'number') return (a ?? null) === (b ?? null);
  return Math.abs(a - b) <= ROUNDING * Math.max(1, Math.abs(a), Math.abs(b));
}
