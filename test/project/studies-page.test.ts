/** Compares docs/studies.md with the schema of study files, the minimums, and the files that it shows. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readStudy } from '../../src/process/run-folder/read-study.ts';
import { hopelessStudy, MINIMUMS } from '../../src/protocol/minimums.ts';
import { conditionSchema, studySchema } from '../../src/protocol/study.ts';

interface Node {
  default?: unknown;
  properties?: Record<string, Node>;
  required?: string[];
  items?: Node;
  anyOf?: Node[];
  [limit: string]: unknown;
}
interface Field {
  path: string;
  required: boolean;
  node: Node;
}

/** Every field by its path, such as `scenarios.people.goal`. */
function fieldsOf(node: Node, path = ''): Field[] {
  const inner = [node, node.items, ...(node.anyOf ?? [])].filter((one) => one !== undefined);
  if (node.items?.items) inner.push(node.items.items);
  return inner.flatMap(({ properties = {}, required = [] }) =>
    Object.entries(properties).flatMap(([name, field]) => {
      const at = path === '' ? name : `${path}.${name}`;
      return [{ path: at, required: required.includes(name), node: field }, ...fieldsOf(field, at)];
    }),
  );
}

const LIMITS = ['minimum', 'exclusiveMinimum', 'maximum', 'minItems', 'maxItems', 'maxLength'];

/** The numbers that limit a field, or the type of a list; a bound that only means "any number" is left out. */
function limitsOf(node: Node): number[] {
  const own = LIMITS.flatMap((limit) => (typeof node[limit] === 'number' ? [node[limit]] : []));
  const inner = [...(node.items ? [node.items] : []), ...(node.anyOf ?? [])];
  return [...own, ...inner.flatMap(limitsOf)].filter((value) => value !== Number.MAX_SAFE_INTEGER);
}

const page = await readFile('docs/studies.md', 'utf8').catch(() => '');
const rows = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
/** Cells of the row of a field: name, allowed values, default, meaning. */
const rowOf = (path: string): string[] | undefined =>
  rows.find(([, name]) => name === `\`${path}\``)?.slice(1);
const fields = fieldsOf(z.toJSONSchema(studySchema, { unrepresentable: 'any', io: 'input' }) as Node);

describe('docs/studies.md', () => {
  it('is compared with all fields of the schema, also nested ones', () => {
    const paths = fields.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['pairs', 'scenarios.people.goal', 'scenarios.reader.secret', 'steps.layers']),
    );
    expect(paths.length).toBeGreaterThan(25);
  });

  it.each(fields.filter(({ path }) => !path.startsWith('scenarios.reader.')))(
    'has a row for $path, with its limits and its default',
    ({ path, required, node }) => {
      const [, range = '', preset = '', meaning = ''] = rowOf(path) ?? [];
      expect(meaning.length).toBeGreaterThan(10);
      if (node.properties === undefined)
        for (const limit of limitsOf(node)) expect(range.match(/[\d.]+/g)?.map(Number)).toContain(limit);
      const wanted = required
        ? 'required'
        : 'default' in node
          ? `\`${JSON.stringify(node.default)}\``
          : 'none';
      expect(preset).toBe(wanted);
    },
  );

  it('has no row for a field that does not exist', () => {
    const first = rows.findIndex(([, name]) => name === '`name`');
    const table = rows.slice(
      first,
      rows.findIndex((cells, at) => at > first && cells.length < 4),
    );
    const known = new Set(fields.map(({ path }) => `\`${path}\``));
    expect(table.map(([, name]) => name).filter((name) => !known.has(name ?? ''))).toEqual([]);
  });

  it('names every condition', () => {
    for (const condition of ['live', 'reader', 'monologue', 'shared-input', 'random', 'dose:0.5']) {
      expect(conditionSchema.safeParse(condition).success).toBe(true);
      expect(rows.some(([, name]) => name === `\`${condition}\``)).toBe(true);
    }
  });

  it('shows studies/first.json unchanged, which is a valid study', async () => {
    const file = await readFile('studies/first.json', 'utf8');
    expect(page).toContain(`\`\`\`json\n${file}\`\`\``);
    const study = await readStudy('studies/first.json');
    expect(page).toContain(`note         ${hopelessStudy(study)}`);
  });

  it('says how many episodes the minimums amount to', () => {
    const { scenarios, episodes, samples } = MINIMUMS;
    expect(page).toContain(`${scenarios} scenarios, ${episodes} episodes and ${samples} turn pairs`);
    const sizes = rows.filter(([, turns]) => /^\d+$/.test(turns ?? ''));
    expect(sizes.length).toBeGreaterThan(3);
    for (const [, turns, forth, back, least] of sizes) {
      expect([forth, back]).toEqual([Number(turns) / 2, Number(turns) / 2 - 1].map(String));
      expect(Number(least)).toBe(Math.max(episodes, Math.ceil(samples / Number(back))));
    }
  });
});
