/** The pages under docs: their links exist, their lists agree with the program, and their commands run. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandNames, cliPage, metricHelp } from '../../scripts/lib/reference-pages.js';
import { analyzerRoutes } from '../../src/analyzer/output/routes.ts';
import { findNatsServer } from '../fixtures/programs/tools.ts';

const read = (file: string): string => readFileSync(file, 'utf8');
const pages = readdirSync('docs', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.md'))
  .map((path) => join('docs', path));
const isRecord = (page: string): boolean => /decisions[/\\]\d{4}-/.test(page);

describe('the pages under docs', () => {
  it.each(['README.md', ...pages])('%s links only to files and headings that exist', (page) => {
    const text = read(page).replaceAll(/```[^]*?```/g, '');
    const broken = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !leadsSomewhere(page, target));
    expect(broken).toEqual([]);
  });

  it('are all listed in docs/README.md, except decision records', () => {
    const listed = [...read('docs/README.md').matchAll(/\]\((?!https?:)([^)#\s]+\.md)/g)];
    const paths = new Set(['docs/README.md', ...listed.map(([, target = '']) => join('docs', target))]);
    expect(pages.filter((page) => !isRecord(page) && !paths.has(page))).toEqual([]);
  });
});

function leadsSomewhere(page: string, target: string): boolean {
  const [file = '', heading] = target.split('#');
  const path = file === '' ? page : join(dirname(page), decodeURIComponent(file));
  if (!existsSync(path)) return false;
  return heading === undefined || headingsOf(read(path)).includes(heading);
}

/** Anchors of headings, as a forge makes them. */
const headingsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

describe('docs/reference', () => {
  it('lists every command with its flags; npm run reference writes the page', () => {
    const flags = (text: string): string[] => [...new Set(text.match(/--[a-z][a-z-]+/g))].toSorted();
    const sections = (text: string) =>
      Object.fromEntries(
        text
          .split(/^## /m)
          .slice(1)
          .map((section) => [section.split('\n')[0], flags(section)]),
      );
    expect(sections(read('docs/reference/cli.md'))).toEqual(sections(cliPage()));
    expect(commandNames().length).toBeGreaterThan(10);
  }, 120_000);

  it('lists every metric that a program declares, and no other; npm run reference writes the page', () => {
    const listed = [...read('docs/reference/metrics.md').matchAll(/^- `(entrain_\w+)`/gm)].map(
      ([, name]) => name,
    );
    expect(listed).toEqual([...metricHelp().keys()]);
    expect([...metricHelp()].filter(([, help]) => help === '')).toEqual([]);
  });

  it('lists every environment variable that is read, and no other', () => {
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => read(join('src', path)))
      .join('\n');
    const used = new Set([...sources.matchAll(/\benvironment\('([A-Z_]+)'\)/g)].map(([, name]) => name));
    const listed = [...read('docs/reference/configuration.md').matchAll(/^\| `([A-Z_]+)`/gm)].map(
      ([, name]) => name,
    );
    expect(new Set(listed)).toEqual(used);
  });

  it('lists every path that an analyzer answers, except the parts of its page', () => {
    const nothing = () => undefined;
    const routes = analyzerRoutes({ metrics: async () => '', scores: nothing, state: nothing, checks: {} });
    const listed = [
      ...read('docs/reference/http.md').matchAll(/^\| `(\/[\w/]*)`(?:, `(\/\w+)`)? +\| (?:all|analyzer)/gm),
    ];
    const paths = Object.keys(routes).filter((path) => !/\.\w+$/.test(path));
    expect(new Set(listed.map(([, path]) => path))).toEqual(new Set([...paths, '/stream']));
  });
});

describe('docs/glossary.md', () => {
  it('has each term once, with a meaning', () => {
    const rows = [...read('docs/glossary.md').matchAll(/^\| (.+?) +\| (.+?) +\|$/gm)]
      .map(([, term = '', meaning = '']) => ({ term, meaning }))
      .filter(({ term }) => term !== 'term' && !term.startsWith('---'));
    expect(new Set(rows.map(({ term }) => term)).size).toBe(rows.length);
    expect(rows.filter(({ meaning }) => !meaning.endsWith('.'))).toEqual([]);
    expect(rows.length).toBeGreaterThan(70);
  });
});

interface Part {
  /** A file to write, or commands to run. */
  file?: string;
  text: string;
}

/** Blocks marked `sh run`, and files that the page says to save. */
function partsOf(text: string): Part[] {
  const blocks = /(?:Save this as `([^`]+)`:\n\n)?^([ ]*)```(json|sh run)\n([^]*?)^\2```$/gm;
  return [...text.matchAll(blocks)].flatMap(([, file, indent = '', kind, body = '']) => {
    const plain = body.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    if (kind === 'sh run') return [{ text: plain }];
    return file === undefined ? [] : [{ file, text: plain }];
  });
}

describe('the commands of a page, run one after another in an empty folder', () => {
  const running = pages.filter((page) => read(page).includes('```sh run'));
  it('are marked on the tutorial and on the how-to pages that can run here', () => {
    expect(running.length).toBeGreaterThanOrEqual(4);
  });

  it.for(running)('succeed on %s', { timeout: 240_000 }, (page) => {
    const parts = partsOf(read(page));
    // Another python3 earlier on PATH does not see Debian's numpy.
    const hasNumpy = spawnSync('python3', ['-c', 'import numpy']).status === 0;
    const path = hasNumpy ? process.env['PATH'] : `/usr/bin:${process.env['PATH']}`;
    const folder = mkdtempSync(join(tmpdir(), 'entrain-docs-'));
    symlinkSync(resolve('models'), join(folder, 'models'));
    const command = `entrain() { "${process.execPath}" "${resolve('bin/entrain.js')}" "$@"; }`;
    for (const { file, text } of parts) {
      if (file !== undefined) writeFileSync(join(folder, file), text);
      else {
        const { status, stdout, stderr } = spawnSync('bash', ['-euc', `${command}\n${text}`], {
          cwd: folder,
          encoding: 'utf8',
          env: { ...process.env, PATH: path, ENTRAIN_NATS_SERVER: findNatsServer() },
        });
        expect(status, `${text}\n${stdout}\n${stderr}`).toBe(0);
      }
    }
    rmSync(folder, { recursive: true, force: true });
  });
});
