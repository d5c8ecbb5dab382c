// The page of benchmarks: one section per benchmark, each with the machine and the day of its own figures.
import { arch, cpus, platform, totalmem } from 'node:os';

const HEAD = `# Benchmarks

Written by \`npm run bench\`; \`npm run bench -- NAME\` writes the sections whose name holds NAME anew and leaves the others.
Figures that compare are taken side by side in one run; only those are worth comparing.
`;
const MARK = /^<!-- bench: (\S+) -->$/m;

/** What the figures were taken on; nothing that would name the machine. */
export function describeMachine() {
  const cores = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${cores.length} × ${cores[0]?.model.trim() ?? 'processor'}, ${memory}, ${platform()} ${arch()}, Node ${process.versions.node}`;
}

/** One section of the page, from a benchmark's own title, table and notes. */
export function renderSection(title, { table, notes }, { machine, day }) {
  const parts = [`## ${title}`, renderTable(table), ...notes.map((note) => `- ${note}`)];
  return `${parts.slice(0, 2).join('\n\n')}\n\n${parts.slice(2).join('\n')}\n\nOn ${machine}; ${day}.\n`.replace(
    /\n{3,}/g,
    '\n\n',
  );
}

function renderTable([header = [], ...rows]) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

/** The sections of a page as it stands, by name. */
export function readSections(page) {
  const pieces = page.split(MARK).slice(1);
  const sections = new Map();
  for (let i = 0; i + 1 < pieces.length; i += 2) sections.set(pieces[i], pieces[i + 1].trim());
  return sections;
}

export function renderPage(sections) {
  const inOrder = [...sections].sort(([a], [b]) => a.localeCompare(b));
  return [HEAD, ...inOrder.map(([name, text]) => `<!-- bench: ${name} -->\n\n${text.trim()}\n`)].join('\n');
}

/** The rows of a page's only table as it stands, by their first cell. */
export function readRows(page) {
  const lines = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| ---'));
  const cells = lines.map((line) => line.slice(2, -2).split(' | '));
  return new Map(cells.slice(1).map((row) => [row[0], row]));
}
