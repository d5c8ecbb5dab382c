/** Tables of synchrony beside its nulls, as lines of text: pure functions of the analyzer's report. */
import type {
  EstimateReport,
  GroupReport,
  PairReport,
  PaperReport,
  ScoreReport,
  StrictReport,
} from '../../protocol/reports/score-report.ts';
import { withoutTooFew } from '../../protocol/verdict.ts';

/** The interval is that of the excess: score − mean of its null. */
const EVIDENCE = ['excess', '95 % interval', 'p', 'q', 'counts'];
const PLACE = ['condition', 'direction', 'pairs'];
const HEADER = [
  ...PLACE,
  'score',
  'null mean',
  ...EVIDENCE,
  'beyond text',
  'excess lag 3',
  'paper',
  'its null',
];

interface TableOptions {
  /** Columns; unlimited if left out. With `isVerbose`, the default, nulls and paper mode are shown too. */
  width?: number;
  isVerbose?: boolean;
}

/**
 * Lines that say who talks, then one row per group. If rows are wider than `width`, the parts of the excess and
 * paper mode go on a line of their own under each row. If groups differ in models or number of agents, each row
 * names its own.
 */
export function scoreTable(
  report: ScoreReport,
  { width = Infinity, isVerbose = true }: TableOptions = {},
): string[] {
  const groups = report.groups.toSorted(byName);
  const who = whoTalks(groups);
  const models = groups.map((group) => (who.length > 0 ? [] : [`  ${whoOf(group)}`]));
  const narrow = layOut([[...PLACE, ...EVIDENCE], ...groups.map(shortRow)]);
  if (!isVerbose) return [...who, ...interleave(narrow, models)];
  const wide = layOut([HEADER, ...groups.map(row)]);
  if (wide.every((line) => line.length <= width)) return [...who, ...interleave(wide, models)];
  const rows = groups.map((group, at) => [...(models[at] ?? []), ...heldAgainst(group)]);
  return [...who, ...interleave(narrow, rows)];
}

/** One line if models and number of agents are the same in all groups; none otherwise. */
function whoTalks(groups: readonly GroupReport[]): string[] {
  const [who, ...others] = new Set(groups.map(whoOf));
  return who === undefined || others.length > 0 ? [] : [who];
}

/** The models of both sides and the number of agents. */
export function whoOf({ sourceModel, targetModel, agents }: GroupReport): string {
  const models = sourceModel === targetModel ? sourceModel : `${sourceModel} → ${targetModel}`;
  return `${models}, ${agents} agents`;
}

/** A heading and rows, each row followed by the lines that belong to it. */
function interleave([head = '', ...rows]: string[], under: string[][]): string[] {
  return [head, ...rows.flatMap((line, place) => [line, ...(under[place] ?? [])])];
}

const PAIR_HEADER = ['condition', 'both ways', 'excess', '95 % interval', 'score', 'paper', 'its null'];

/**
 * The mean over both directions and speaking orders; in paper mode that is the figure of the paper. No lines
 * before the first pair.
 */
export function pairTable({ pairs }: ScoreReport): string[] {
  return pairs.length === 0 ? [] : layOut([PAIR_HEADER, ...pairs.map(pairRow)]);
}

function pairRow(pair: PairReport): string[] {
  const { condition, strict, paper, reason = 'not yet' } = pair;
  const place = [condition, pairPlace(pair)];
  if (!strict && !paper) return [...place, reason];
  const effect = strict
    ? [signed(strict.excess), intervalText(strict), signed(strict.score)]
    : ['', 'no score', ''];
  return [
    ...place,
    ...effect,
    ...(paper ? [paper.score.toFixed(3), figureOr(paper.nullMean, '')] : ['', '']),
  ];
}

export function pairPlace({
  modelA,
  modelB,
  roleA,
  roleB,
}: Pick<PairReport, 'modelA' | 'modelB' | 'roleA' | 'roleB'>): string {
  const places = `${ordinal(roleA)} ↔ ${ordinal(roleB)}`;
  return modelA === modelB ? places : `${places}, ${modelA} ↔ ${modelB}`;
}

/**
 * For each condition with more than two agents, a matrix of excesses: sources down, targets across; where agents have
 * several models, one for each pair of models. Its cells are short, so that four agents fit in 80 columns: interval,
 * p and q stand in the rows of `scoreTable`. No lines for two agents.
 */
export function matrixTables({ groups }: ScoreReport): string[] {
  const larger = groups.filter(({ agents }) => agents > 2);
  const models = new Set(larger.map(whoOf));
  const nameOf = (group: GroupReport): string =>
    models.size > 1 ? `${group.condition}, ${whoOf(group)}` : `${group.condition}, ${group.agents} agents`;
  return [...new Set(larger.map(nameOf))].sort().flatMap((name) => [
    '',
    ...matrixOf(
      name,
      larger.filter((group) => nameOf(group) === name),
    ),
  ]);
}

function matrixOf(name: string, groups: readonly GroupReport[]): string[] {
  const roles = Array.from({ length: groups[0]?.agents ?? 0 }, (_, place) => place + 1);
  const cell = (source: number, target: number): string => {
    const own = groups.find(({ sourceRole, targetRole }) => sourceRole === source && targetRole === target);
    return own ? matrixCell(own) : source === target ? '·' : 'nothing yet';
  };
  const rows = roles.map((source) => [ordinal(source), ...roles.map((target) => cell(source, target))]);
  return [
    `${name}: excess,`,
    'from the row to the column, which follows by so many turns (+n); ! flagged',
    ...layOut([['', ...roles.map(ordinal)], ...rows]),
  ];
}

function matrixCell({ strict, distance, verdict }: GroupReport): string {
  const excess = strict ? signed(strict.excess) : 'no score';
  return `${excess}${verdict === 'flagged' ? '!' : ''} (+${distance})`;
}

export function layOut(rows: string[][]): string[] {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((cells) => widthOf(cells, { column, columns }))),
  );
  return rows.map((cells) =>
    cells
      .map((cell, column) => align(cell, widths[column] ?? 0, column))
      .join('  ')
      .trimEnd(),
  );
}

/**
 * Width of a column. The last cell of a row with fewer cells is a reason, which may run over the columns to its
 * right.
 */
function widthOf(cells: string[], { column, columns }: { column: number; columns: number }): number {
  return cells.length < columns && column === cells.length - 1 ? 0 : (cells[column] ?? '').length;
}

function row(group: GroupReport): string[] {
  const { strict, paper } = group;
  if (!strict) return withoutScore(group);
  const beside = paper
    ? [paper.score.toFixed(3), `${figureOr(paper.nullMean, '')}${textAlone(paper)}`]
    : ['', ''];
  return [
    ...placeOf(group),
    ...[strict.score, strict.nullMean].map(signed),
    ...evidenceOf(strict, group),
    ...besides(group).map(({ excess }) => excess),
    ...beside,
  ];
}

function shortRow(group: GroupReport): string[] {
  const { strict } = group;
  if (strict) return [...placeOf(group), ...evidenceOf(strict, group)];
  // A narrow window cuts the end off: the counts come first.
  const [place, reason = ''] = [placeOf(group), withoutScore(group).at(-1)];
  return [...place, withoutTooFew(reason)];
}

const placeOf = (group: GroupReport): string[] => [
  group.condition,
  `${directionOf(group)}${distanceNote(group)}`,
  String(group.samples),
];

const withoutScore = (group: GroupReport): string[] => [...placeOf(group), group.reason ?? 'not yet'];

const COUNTS = { counts: 'yes', flagged: 'flagged', none: 'no' } as const;

function evidenceOf(
  { excess, ciLow, ciHigh, pValue }: StrictReport,
  { qValue, verdict }: Pick<GroupReport, 'qValue' | 'verdict'>,
): string[] {
  const counts = verdict === null ? '' : COUNTS[verdict];
  return [signed(excess), intervalText({ ciLow, ciHigh }), pValue.toFixed(3), figureOr(qValue, ''), counts];
}

export const intervalText = ({ ciLow, ciHigh }: Pick<EstimateReport, 'ciLow' | 'ciHigh'>): string =>
  `[${signed(ciLow)}, ${signed(ciHigh)}]`;

function besides({ beside }: GroupReport): { name: string; excess: string }[] {
  const { text, lag3 } = beside ?? {};
  return [
    { name: 'beyond text', excess: text ? `${signed(text.excess)} ${intervalText(text)}` : '' },
    { name: 'lag 3', excess: lag3 ? signed(lag3.excess) : '' },
  ];
}

/** What the words alone give of the paper's figure, where it is known. */
const textAlone = ({ textOnly }: Pick<PaperReport, 'textOnly'>): string =>
  typeof textOnly === 'number' ? `, text alone ${textOnly.toFixed(3)}` : '';

/** What a row of a narrow table leaves out: score and mean of the null, and paper mode. */
function heldAgainst(group: GroupReport): string[] {
  const { strict, paper } = group;
  if (!strict) return [];
  const { score, nullMean } = strict;
  const parts = `score ${signed(score)}, null mean ${signed(nullMean)}`;
  const published = paper
    ? [`paper ${paper.score.toFixed(3)}, its null ${figureOr(paper.nullMean, 'to come')}${textAlone(paper)}`]
    : [];
  const more = besides(group).flatMap(({ name, excess }) =>
    excess ? [`${name === 'lag 3' ? 'excess lag 3' : name} ${excess}`] : [],
  );
  return [[parts, ...published], more].flatMap((line) => (line.length > 0 ? [`  ${line.join(' · ')}`] : []));
}

const figureOr = (value: number | null, none: string): string => (value === null ? none : value.toFixed(3));

export const directionOf = ({
  sourceRole,
  targetRole,
}: Pick<GroupReport, 'sourceRole' | 'targetRole'>): string =>
  `${ordinal(sourceRole)} → ${ordinal(targetRole)}`;

/** The distance of the target in turns, where directions differ in it. */
export const distanceNote = ({ agents, distance }: Pick<GroupReport, 'agents' | 'distance'>): string =>
  agents > 2 ? ` (+${distance})` : '';

function ordinal(place: number): string {
  return `${place}${['st', 'nd', 'rd'][place - 1] ?? 'th'}`;
}

/** Aligns text to the left and numbers to the right. */
function align(cell: string, width: number, column: number): string {
  return column < 2 || !/^[+\-−\d[]/.test(cell) ? cell.padEnd(width) : cell.padStart(width);
}

export function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
}

export function byName(a: GroupReport, b: GroupReport): number {
  const name = ({ condition, agents, sourceRole, targetRole, ...models }: GroupReport): string =>
    `${condition} ${agents} ${sourceRole} ${targetRole} ${models.sourceModel} ${models.targetModel}`;
  return name(a).localeCompare(name(b));
}
