/** The rules over the whole tree hold, and each catches a planted violation. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  findCircles,
  findCrossings,
  findCrowdedFolders,
  findLongComments,
  findUnreached,
  type Tree,
} from '../tree-rules.ts';

const FOLDERS = ['src', 'bench', 'test', 'scripts', 'deploy', 'examples', 'bin'];

function readTree(): Tree {
  const paths = FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(?:tsx?|js)$/.test(path))
      .map((path) => `${folder}/${path}`),
  );
  return new Map(paths.map((path) => [path, readFileSync(path, 'utf8')]));
}

const tree = readTree();
const planted = (files: Record<string, string>): Tree => new Map(Object.entries(files));

describe('the source tree', () => {
  it('has no circular imports, types included', () => {
    expect(tree.size).toBeGreaterThan(300);
    expect(findCircles(tree)).toEqual([]);
  });

  it('has at most 20 files in a folder of src and of test/fixtures', () => {
    expect(findCrowdedFolders(tree)).toEqual([]);
  });

  it('has no test that imports a bench, and no bench that imports a test', () => {
    expect(findCrossings(tree)).toEqual([]);
  });

  it('has no file in src that only benches and tests use', () => {
    expect(findUnreached(tree)).toEqual([]);
  });
});

describe('comments', () => {
  it('have at most 120 columns', () => {
    expect(findLongComments(tree)).toEqual([]);
  });
});

describe('the rules over the tree', () => {
  it('catch a comment line of 121 columns, and let one of 120 and a line of code be', () => {
    const code = `const text = '${'x'.repeat(130)}';`;
    const files = planted({ 'src/a.ts': `// ${'x'.repeat(118)}\n// ${'x'.repeat(117)}\n${code}` });
    expect(findLongComments(files)).toEqual(['src/a.ts:1']);
  });

  it('catch two files that import types of each other', () => {
    const files = planted({
      'src/a/a.ts': "import type { B } from '../b/b.ts';",
      'src/b/b.ts': "import { c } from './c.ts';",
      'src/b/c.ts': "import type { A } from '../a/a.ts';",
    });
    expect(findCircles(files)).toEqual(['src/a/a.ts → src/b/b.ts → src/b/c.ts → src/a/a.ts']);
  });

  it('catch a folder of 21 files', () => {
    const files = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`src/a/f${i}.ts`, '']));
    expect(findCrowdedFolders(planted(files))).toEqual(['src/a holds 21 files']);
  });

  it.each([
    ['test/unit/a.test.ts', "import { x } from '../../bench/x.ts';"],
    ['bench/x.ts', "import { x } from '../test/unit/a.test.ts';"],
    ['src/a/a.ts', "import { x } from '../../bench/x.ts';"],
    ['src/a/a.ts', "import { x } from '../../test/fixtures/x.ts';"],
  ])('catch %s with %s', (path, source) => {
    const others = {
      'bench/x.ts': '',
      'test/unit/a.test.ts': '',
      'test/fixtures/x.ts': '',
      'src/a/a.ts': '',
    };
    expect(findCrossings(planted({ ...others, [path]: source }))).toHaveLength(1);
  });

  it('catch a file of src that only a bench imports', () => {
    const files = planted({
      'src/cli/entrain.ts': "import { a } from '../a/a.ts';",
      'src/a/a.ts': '',
      'src/a/lonely.ts': '',
      'bench/x.ts': "import { lonely } from '../src/a/lonely.ts';",
    });
    expect(findUnreached(files)).toEqual(['src/a/lonely.ts']);
  });
});
