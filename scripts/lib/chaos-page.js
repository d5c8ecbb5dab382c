// The page of chaos: one row per scenario, written by the run that found it.
const HEAD = `# Chaos

Written by \`npm run chaos -- --write\`: a row says what the last such run of that scenario found. \`--off\` plays it with a program in which
the mechanism behind the promise is switched off (\`test/fixtures/chaos/switch-offs.ts\`), which must break it. Each scenario compares an
independent ledger with what was recorded. A seed repeats what chance decided, not what the machine did. Beside these stand tests of the
suite: who may what (\`test/integration/access.test.ts\`, \`run-access.test.ts\`), and that no secret and no dialogue stands in logs, argv
or metrics (\`test/integration/guarded.test.ts\`).
`;
const COLUMNS = [
  'scenario',
  'size',
  'found',
  'lost',
  'doubled',
  'as promised',
  'seed',
  'day',
  'switched off',
];

/** @param {Map<string, string[]>} rows the cells of each scenario, in the order of COLUMNS */
export function renderChaos(rows, machine) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const table = [line(COLUMNS), line(COLUMNS.map(() => '---')), ...[...rows.values()].map(line)];
  return `${HEAD}\nLast written on ${machine}.\n\n${table.join('\n')}\n`;
}

export function readChaos(page) {
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split(' | ')
        .map((cell) => cell.trim()),
    );
  return new Map(rows.map((cells) => [cells[0], cells]));
}

/** A row of what was found; what stands in the last column stays. */
export function foundRow(known, row, { seed, day }) {
  const kept = row.failures.length === 0 ? 'yes' : `no: ${row.failures[0]}`;
  const cells = [row.scenario, row.size, row.figures, row.lost ?? '–', row.doubled ?? '–', kept, seed, day];
  return [...cells.map(clean), known?.at(-1) ?? '–'];
}

/** What was seen without the mechanism; what was found with it stays. */
export function offRow(known, row, { what, day }) {
  const seen = row.failures.length === 0 ? 'nothing was broken' : row.failures.slice(0, 2).join('; ');
  const found = known?.slice(0, -1) ?? [row.scenario, ...COLUMNS.slice(2).map(() => '–')];
  return [...found, clean(`no longer: ${what}. Then (${row.size.split(' of ')[0]}, ${day}): ${seen}`)];
}

const clean = (cell) => String(cell).replaceAll(/[|\n]/g, ' ').slice(0, 400);
