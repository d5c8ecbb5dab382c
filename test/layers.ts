/**
 * The import directions of `src` as data, and a check of a file against them. It looks at text, not at types, so it
 * also sees type imports, dynamic imports and workers named by URL.
 */
import { dirname, join, normalize } from 'node:path/posix';

/** What each folder may import besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  // The library entry.
  'index.ts': ['protocol', 'library', 'transport', 'numeric/ort', 'process'],
  library: ['protocol', 'transport', 'journal', 'process'],
  protocol: [],
  onnx: ['protocol', 'process'],
  numeric: [],
  'numeric/ort': ['numeric', 'onnx', 'process'],
  synchrony: ['numeric'],
  process: ['protocol', 'scenarios'],
  scenarios: ['protocol'],
  model: ['protocol', 'process', 'onnx'],
  transport: ['protocol', 'process'],
  journal: ['protocol', 'process'],
  cli: ['protocol', 'process', 'transport'],
  'agent-node': ['protocol', 'numeric', 'model', 'transport', 'journal', 'process'],
  coordinator: ['protocol', 'transport', 'process'],
  load: ['protocol', 'agent-node', 'transport', 'journal', 'process'],
  analyzer: ['protocol', 'numeric', 'numeric/ort', 'synchrony', 'transport', 'journal', 'process'],
  viewer: ['protocol', 'transport', 'process'],
  recordings: ['protocol', 'numeric', 'numeric/ort', 'synchrony', 'journal', 'process', 'analyzer', 'tables'],
  studies: ['protocol', 'process', 'model'],
  tables: ['protocol'],
  outcomes: ['protocol', 'transport', 'process', 'model', 'tables'],
  analysis: ['protocol', 'numeric', 'synchrony', 'process', 'model', 'recordings', 'tables'],
  report: ['protocol', 'process', 'synchrony', 'recordings', 'analysis', 'viewer'],
  benchmark: ['protocol', 'process', 'synchrony', 'recordings', 'outcomes', 'report', 'viewer'],
  measure: [
    'protocol',
    'numeric',
    'numeric/ort',
    'synchrony',
    'journal',
    'process',
    'analyzer',
    'recordings',
  ],
};

/** The folders of pure mathematics, which use no Node module. */
const PURE = ['numeric', 'synchrony'];

/** The only places that may import a package: path prefixes, or ends of paths that begin with `*`. */
const OWNERS: Record<string, readonly string[]> = {
  msgpackr: ['src/protocol/'],
  zod: ['src/protocol/'],
  pino: ['src/process/'],
  nats: ['src/transport/'],
  'nkeys.js': ['src/transport/'],
  '@peculiar/x509': ['src/transport/'],
  'reflect-metadata': ['src/transport/'],
  ws: ['src/transport/'],
  'node:http': ['src/transport/'],
  'node:https': ['src/transport/'],
  commander: ['src/cli/'],
  'onnxruntime-node': ['src/onnx/runtime.ts'],
  '@huggingface/tokenizers': ['src/model/'],
  '@huggingface/jinja': ['src/model/'],
  'prom-client': ['*/metrics.ts'],
  preact: ['src/viewer/page/'],
  uplot: ['src/viewer/page/'],
  'hyparquet-writer': ['src/tables/'],
  yaml: ['src/process/yaml-text.ts'],
};

/** What only one folder may use, wherever it is imported from. */
const USES: readonly { pattern: RegExp; name: string; owner: string }[] = [
  { pattern: /\bprocess\.env\b/, name: 'process.env', owner: 'src/process/' },
  { pattern: /\bnew Worker\(/, name: 'the start of a worker thread', owner: 'src/process/' },
  { pattern: /\bDate\.now\b|\bnew Date\(\)/, name: 'the wall clock', owner: 'src/process/' },
  { pattern: /\bperformance\.now\b|\bprocess\.hrtime\b/, name: 'the monotonic clock', owner: 'src/process/' },
];

const IMPORTS = /(?<!['"])\b(?:from|import|import\(|new URL\()\s*['"]([^'"]+)['"]/g;
const SYNC_FS = /import\s*(?:type\s*)?(\{[^}]*\}|[^{}'"]*?)\s*from\s*['"](?:node:)?fs['"]/g;

/** One sentence for each import or use that the table forbids. `path` is relative to the project, with slashes. */
export function findViolations(path: string, source: string): string[] {
  const code = withoutComments(source);
  const specifiers = [...code.matchAll(IMPORTS)].map((match) => match[1] ?? '');
  const imports = specifiers.flatMap((specifier) => checkImport(path, specifier) ?? []);
  const uses = USES.filter(({ pattern, owner }) => pattern.test(code) && !path.startsWith(owner)).map(
    ({ name, owner }) => `${path} uses ${name}, which only ${owner} may touch`,
  );
  return [...imports, ...uses, ...checkSyncFiles(path, code)];
}

function checkImport(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return checkFolder(path, specifier);
  const name = packageOf(specifier);
  if (name.startsWith('node:') && PURE.includes(folderOf(path)))
    return `${path} imports ${name}, but src/${folderOf(path)} uses nothing of Node`;
  const owners = OWNERS[name];
  if (owners === undefined) {
    return name.startsWith('node:') ? undefined : `${path} imports ${name}, which no folder owns`;
  }
  const allowed = owners.some((owner) =>
    owner.startsWith('*') ? path.endsWith(owner.slice(1)) : path.startsWith(owner),
  );
  return allowed ? undefined : `${path} imports ${name}, which only ${owners.join(' and ')} may import`;
}

function checkFolder(path: string, specifier: string): string | undefined {
  const target = normalize(join(dirname(path), specifier));
  // A file beside src, such as a model's folder, is no import of code.
  if (!target.startsWith('src/')) return undefined;
  const from = folderOf(path);
  const to = folderOf(target);
  if (from === to || MAY_IMPORT[from]?.includes(to)) return undefined;
  return `${path} imports src/${to}, but src/${from} may import only ${MAY_IMPORT[from]?.join(', ') || 'itself'}`;
}

/**
 * Only the journal may use blocking file calls, since its guarantees depend on the order of its writes; all other
 * code awaits.
 */
function checkSyncFiles(path: string, code: string): string[] {
  if (path.startsWith('src/journal/')) return [];
  const names = [...code.matchAll(SYNC_FS)].map((match) => match[1] ?? '');
  return names
    .filter((list) => !list.startsWith('{') || /Sync\b/.test(list))
    .map(
      (list) => `${path} imports ${list.trim()} of node:fs, whose blocking calls only src/journal/ may use`,
    );
}

function folderOf(path: string): string {
  const [, folder = '', inner = ''] = path.split('/');
  return `${folder}/${inner}` in MAY_IMPORT ? `${folder}/${inner}` : folder;
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}
