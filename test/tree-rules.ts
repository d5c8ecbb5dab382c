/**
 * Rules over the whole tree, as functions of path → source so that a violation can be planted: no circular imports,
 * types included; at most 20 files in a folder of `src` and of `test/fixtures`; tests import nothing of `bench`,
 * benches only `src` and `test/fixtures`; no file of `src` exists only for benches or tests; no comment line has more
 * than 120 columns.
 */
import { dirname, join, normalize } from 'node:path/posix';

export type Tree = ReadonlyMap<string, string>;

const MOST_FILES = 20;
const IMPORTS = /\b(?:from|import|import\(|new URL\()\s*['"](\.{1,2}\/[^'"]+)['"]/g;
const COMMENTS = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;

/** Entry files of programs, threads and the package. */
const ENTRIES =
  /^src\/(?:index|[^/]+\/index|.*\/main|.*-worker|model\/worker\/worker|cli\/(?:entrain|keys|configuration\/config-command|completion\/completion-command|start\/(?:rerun|start)|serve\/serve|doctor\/doctor-command|join\/join|service\/(?:act|logs|results|submit|token)|nats\/nats-guard))\.tsx?$/;

/** The files of the tree that a file imports, types included. */
function importsOf(tree: Tree, path: string): string[] {
  const code = (tree.get(path) ?? '').replace(COMMENTS, '');
  return [...code.matchAll(IMPORTS)]
    .map(([, specifier = '']) => normalize(join(dirname(path), specifier)))
    .filter((target) => tree.has(target));
}

/** One sentence for each import cycle: the files along it. */
export function findCircles(tree: Tree): string[] {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: string[]): void => {
    const at = way.indexOf(path);
    if (at >= 0) return void circles.push([...way.slice(at), path].join(' → '));
    if (done.has(path)) return;
    for (const target of importsOf(tree, path)) visit(target, [...way, path]);
    done.add(path);
  };
  for (const path of tree.keys()) visit(path, []);
  return circles;
}

export function findCrowdedFolders(tree: Tree): string[] {
  const counts = new Map<string, number>();
  for (const path of tree.keys()) {
    if (!/^(?:src|test\/fixtures)\//.test(path)) continue;
    counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > MOST_FILES)
    .map(([folder, count]) => `${folder} holds ${count} files`);
}

/** Imports between tests and benches. */
export function findCrossings(tree: Tree): string[] {
  const isAllowed = (from: string, to: string): boolean => {
    if (from.startsWith('bench/')) return /^(?:bench|src|deploy|test\/fixtures)\//.test(to);
    if (from.startsWith('test/')) return !to.startsWith('bench/');
    return !/^(?:bench|test)\//.test(to);
  };
  return [...tree.keys()].flatMap((from) =>
    importsOf(tree, from)
      .filter((to) => !isAllowed(from, to))
      .map((to) => `${from} imports ${to}`),
  );
}

/** Files of `src` that no program, thread or package entry reaches. */
export function findUnreached(tree: Tree): string[] {
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const target of importsOf(tree, path)) visit(target);
  };
  for (const path of tree.keys()) if (ENTRIES.test(path)) visit(path);
  return [...tree.keys()].filter((path) => path.startsWith('src/') && !reached.has(path));
}

const MOST_COLUMNS = 120;
const COMMENT_LINE = /^\s*(?:\/\/|\/?\*)/;

/** Comment lines that are too long; Prettier breaks lines of code alone. */
export function findLongComments(tree: Tree): string[] {
  return [...tree].flatMap(([path, source]) =>
    source
      .split('\n')
      .flatMap((line, index) =>
        COMMENT_LINE.test(line) && line.length > MOST_COLUMNS ? [`${path}:${index + 1}`] : [],
      ),
  );
}
