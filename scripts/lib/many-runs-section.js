// The section of docs/capacity.md on many short runs: figures of the resident programs after so many runs.

export const MANY_RUNS_HEADING = '## Many short runs';

/** Rows of the table; all of them are too many to read. */
const MOST_ROWS = 8;
const AGENT = 'agent-ada';
const COLUMNS = [
  ['runs', (row) => row.finished + row.failed],
  ['minutes', (row) => (row.seconds / 60).toFixed(1)],
  ['coordinator', (row) => memory(row, 'coordinator')],
  ['analyzer', (row) => memory(row, 'analyzer')],
  ['an agent', (row) => memory(row, AGENT)],
  ['nats-server', (row) => memory(row, 'nats-server')],
  ['open files', (row) => sum(row.openFiles)],
  ['series', (row) => sum(row.series)],
  ['streams', (row) => row.streams],
  ['consumers', (row) => row.consumers],
  ['rows', (row) => row.rows],
  ['files of agents', (row) => disk(row, 'agents')],
  ['files of NATS', (row) => disk(row, 'nats')],
  ['files of runs', (row) => disk(row, 'runs')],
];

const memory = (row, program) => `${row.residentMb[program]} MB`;
const sum = (figures) => Object.values(figures).reduce((all, one) => all + one, 0);
const disk = (row, place) => `${row.files[place]}, ${(row.kilobytes[place] / 1024).toFixed(1)} MB`;

/**
 * @param grown what grew, a sentence each; empty if everything stayed flat
 * @param note what has to be known of this run
 */
export function manyRunsSection(rows, { grown, machine, day, note }) {
  const last = rows.at(-1);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const table = [
    line(COLUMNS.map(([title]) => title)),
    line(COLUMNS.map((_, i) => (i === 0 ? '--:' : '--:'))),
    ...chosen(rows).map((row) => line(COLUMNS.map(([, read]) => read(row)))),
  ];
  return `${MANY_RUNS_HEADING}

Written by \`node scripts/many-runs.js --write\`: ${last.finished + last.failed} runs, one after another, on one set of resident programs (coordinator, analyzer, two pairs of agents with
\`entrain-dialogue-300k\`), each an episode of two turns of four tokens. The service forgets a run 90 seconds after its end in place of 30 days, the analyzer in place of one. **${last.finished} finished,
${last.failed} failed${last.stuck > 0 ? `, ${last.stuck} never ended` : ''}.**

${table.join('\n')}

Memory is resident; open files and series are those of all programs together. Rows stand in the bucket of the service. Run folders are results and stay: they are
${perRun(last, 'files')} files and ${perRun(last, 'kilobytes')} kB a run.
${grown.length === 0 ? 'Nothing else grew from the middle third of the rows to the last one by more than a tenth.' : `Grown from the middle third of the rows to the last one: ${grown.join('; ')}.`}${note === undefined ? '' : ` ${note}`}

On ${machine}; load average ${rows[0].load.toFixed(1)} before, ${last.load.toFixed(1)} at the end; ${day}.
`;
}

const perRun = (row, figure) => Math.round(row[figure].runs / Math.max(1, row.finished + row.failed));

/** The first, the last, and others evenly between. */
function chosen(rows) {
  if (rows.length <= MOST_ROWS) return rows;
  const at = Array.from({ length: MOST_ROWS }, (_, i) =>
    Math.round((i * (rows.length - 1)) / (MOST_ROWS - 1)),
  );
  return at.map((i) => rows[i]);
}
