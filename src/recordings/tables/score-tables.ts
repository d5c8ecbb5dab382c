/**
 * Tables of a run's scores, each figure once, as it was published last: `groups` and `pairs` with all figures,
 * `layers` with a row for each pair of layers, `differences` between conditions, and `steps` with a row for each dyad
 * and measure.
 */
import type { LayerMapReport } from '../../protocol/reports/score-report.ts';
import type { StepFigureRecord } from '../../analyzer/steps/step-record.ts';
import { qValues } from '../../synchrony/stats/false-discovery.ts';
import { tableOf, type Column, type Table } from '../../tables/table.ts';
import type { Cell } from '../../tables/csv.ts';
import type { ScoreLine } from '../read-scores.ts';

/** A line of `scores.jsonl`; a field that a version does not have is an empty cell. */
type Line = ScoreLine & Record<string, unknown>;

export function scoreTables(lines: readonly ScoreLine[]): Table[] {
  const all = lines as readonly Line[];
  const ofType = (type: string): Line[] => all.filter((line) => line.type === type);
  const groups = [...lastBy(ofType('score'), (line) => String(line.group)).values()];
  const [besides, influences] = ['beside', 'influence'].map((type) =>
    lastBy(ofType(type), (line) => String(line.group)),
  ) as [Map<string, Line>, Map<string, Line>];
  return [
    groupsTable(groups, { besides, influences }),
    layersTable(groups, besides),
    pairsTable([...lastBy(ofType('pair'), (line) => String(line['pair'])).values()]),
    differencesTable([...lastBy(ofType('difference'), differenceKey).values()]),
    stepsTable([
      ...lastBy(ofType('steps'), (line) => JSON.stringify([line.group, line['episode']])).values(),
    ]),
  ];
}

function lastBy(lines: readonly Line[], key: (line: Line) => string): Map<string, Line> {
  return new Map(lines.map((line) => [key(line), line]));
}

const DIFFERENCE_NAMES = [
  'between',
  'sourceModel',
  'targetModel',
  'direction',
  'modelA',
  'modelB',
  'roleA',
  'roleB',
  'condition',
  'against',
  'agents',
  'sourceRole',
  'targetRole',
  'distance',
];
const differenceKey = (line: Line): string => JSON.stringify(DIFFERENCE_NAMES.map((name) => line[name]));

/** The cell at a path of fields, such as `strict.excess`. */
function at(line: Line, path: string): Cell {
  let value: unknown = line;
  for (const field of path.split('.'))
    value =
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : undefined;
}

/** Fields that stand in columns of other names: those that the same thing has in the other tables. */
const NAMES: Readonly<Record<string, string>> = {
  'source.name': 'source_model',
  'target.name': 'target_model',
  'source.sha256': 'source_model_sha256',
  'target.sha256': 'target_model_sha256',
  'influence.ci.0': 'influence_ci_low',
  'influence.ci.1': 'influence_ci_high',
  'matched.ci.0': 'matched_ci_low',
  'matched.ci.1': 'matched_ci_high',
};

const snakeCase = (path: string): string =>
  path.replaceAll('.', '_').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A column of the field at a path. */
function field<T>(path: string, type: Column<T>[1], lineOf: (record: T) => Line | undefined): Column<T> {
  return [
    NAMES[path] ?? snakeCase(path),
    type,
    (record) => {
      const line = lineOf(record);
      return line && at(line, path);
    },
  ];
}

const fields = (type: Column<Line>[1], paths: readonly string[]): Column<Line>[] =>
  paths.map((path) => field<Line>(path, type, (line) => line));

const STRICT = ['score', 'excess', 'ciLow', 'ciHigh', 'nullMean', 'samples'];

/** Of runs with branches; intervals are lists of two. */
const BRANCH_FIELDS = [
  'histories',
  'influence.value',
  'influence.ci.0',
  'influence.ci.1',
  'matched.score',
  'matched.ci.0',
  'matched.ci.1',
  'matched.p_value',
];

interface Besides {
  besides: ReadonlyMap<string, Line>;
  influences: ReadonlyMap<string, Line>;
}

function groupsTable(groups: readonly Line[], { besides, influences }: Besides): Table {
  const p = groups.map((line) => at(line, 'strict.pValue'));
  const tested = groups.filter((_, index) => typeof p[index] === 'number');
  const q = qValues(p.filter((value) => typeof value === 'number'));
  const columns: Column<Line>[] = [
    ...fields('text', [
      'run',
      'group',
      'condition',
      'direction',
      'source.name',
      'target.name',
      'source.sha256',
      'target.sha256',
    ]),
    ...fields('integer', ['agents', 'sourceRole', 'targetRole', 'distance', 'samples', 'leftOut', 'seed']),
    ...fields('boolean', ['provisional']),
    ...fields(
      'number',
      [...STRICT, 'pValue', 'z', 'permutations'].map((name) => `strict.${name}`),
    ),
    ['strict_q_value', 'number', (line) => q[tested.indexOf(line)]],
    ...fields(
      'number',
      ['score', 'unclipped', 'nullMean', 'pseudoMean', 'textOnly', 'byEpisode', 'samples'].map(
        (name) => `paper.${name}`,
      ),
    ),
    ...['text', 'words', 'lag3', 'lag5'].flatMap((what) =>
      ['excess', 'ciLow', 'ciHigh', 'samples'].map((name) =>
        field<Line>(`beside.${what}.${name}`, 'number', (line) => besides.get(String(line.group))),
      ),
    ),
    ...BRANCH_FIELDS.map((name) => field<Line>(name, 'number', (line) => influences.get(String(line.group)))),
    ...fields('text', ['reason', 'method.name']),
    ...fields('integer', ['method.version']),
  ];
  return tableOf('groups', groups, columns);
}

/** R² of strict mode from every source layer to every target layer, numbered from 1, beside its null. */
function layersTable(groups: readonly Line[], besides: ReadonlyMap<string, Line>): Table {
  const rows = groups.flatMap((line) => {
    const found = besides.get(String(line.group))?.['layerMap'] as LayerMapReport | null | undefined;
    return (found?.map ?? []).flatMap((cells, source) =>
      cells.map((r2, target) => ({ line, source, target, r2, nullMean: found?.nulls[source]?.[target] })),
    );
  });
  type Row = (typeof rows)[number];
  const ofLine = (row: Row): Line => row.line;
  return tableOf<Row>('layers', rows, [
    ...['run', 'condition', 'direction', 'source.name', 'target.name'].map((name) =>
      field(name, 'text', ofLine),
    ),
    ...['agents', 'sourceRole', 'targetRole', 'distance'].map((name) => field(name, 'integer', ofLine)),
    ['source_layer', 'integer', ({ source }) => source + 1],
    ['target_layer', 'integer', ({ target }) => target + 1],
    ['r2', 'number', ({ r2 }) => r2],
    ['null_mean', 'number', ({ nullMean }) => nullMean],
  ]);
}

function pairsTable(pairs: readonly Line[]): Table {
  return tableOf('pairs', pairs, [
    ...fields('text', ['run', 'condition', 'modelA', 'modelB']),
    ...fields('integer', ['agents', 'roleA', 'roleB', 'distance']),
    ...fields('boolean', ['provisional']),
    ...fields(
      'number',
      ['score', 'excess', 'ciLow', 'ciHigh', 'nullMean'].map((name) => `strict.${name}`),
    ),
    ...fields(
      'number',
      ['score', 'unclipped', 'nullMean'].map((name) => `paper.${name}`),
    ),
  ]);
}

function differencesTable(differences: readonly Line[]): Table {
  return tableOf('differences', differences, [
    ...fields('text', [
      'run',
      'between',
      'condition',
      'against',
      'direction',
      'sourceModel',
      'targetModel',
      'modelA',
      'modelB',
    ]),
    ...fields('integer', ['agents', 'sourceRole', 'targetRole', 'roleA', 'roleB', 'distance']),
    ...fields('boolean', ['provisional']),
    ...fields('number', ['difference', 'ciLow', 'ciHigh', 'pValue']),
  ]);
}

function stepsTable(lines: readonly Line[]): Table {
  const rows = lines.flatMap((line) =>
    Object.entries((line['figures'] ?? {}) as Record<string, StepFigureRecord>).map(([measure, figure]) => ({
      line,
      figure: {
        measure,
        ...figure,
        ownSteps: figure.sameWords?.value,
        sameWords: figure.sameWords?.control,
      } as unknown as Line,
    })),
  );
  type Row = (typeof rows)[number];
  const ofLine = (row: Row): Line => row.line;
  const ofFigure = (row: Row): Line => row.figure;
  return tableOf<Row>('steps', rows, [
    field('run', 'text', ofLine),
    field('group', 'text', ofLine),
    field('episode', 'text', ofLine),
    field('scenario', 'text', ofLine),
    field('steps', 'integer', ofLine),
    field('measure', 'text', ofFigure),
    ...['value', 'size', 'nullMean', 'nullQ95', 'ownSteps', 'sameWords'].map((name) =>
      field(name, 'number', ofFigure),
    ),
    field('bestLag', 'integer', ofFigure),
  ]);
}
