/**
 * The index of decision records: complete, with the titles of the records, with gaps explained and superseded records
 * marked.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const FOLDER = 'docs/decisions';
const index = readFileSync(`${FOLDER}/README.md`, 'utf8');
const records = readdirSync(FOLDER)
  .filter((name) => /^\d{4}-/.test(name) && !name.startsWith('0000'))
  .map((file) => ({ file, number: file.slice(0, 4), text: readFileSync(`${FOLDER}/${file}`, 'utf8') }));
const rows = [...index.matchAll(/^\| \[(\d{4})\]\(([^)]+)\) +\| (.+?) +\| (.+?) +\|$/gm)].map(
  ([, number = '', file = '', title = '', line = '']) => ({ number, file, title, line }),
);

describe('docs/decisions/README.md', () => {
  it('lists every record once, under the title in the record', () => {
    const titles = records.map(({ file, number, text }) => ({
      number,
      file,
      title: /^# \d{4}\. (.+)$/m.exec(text)?.[1],
    }));
    const listed = rows.map(({ number, file, title }) => ({ number, file, title }));
    expect(listed.toSorted((a, b) => a.number.localeCompare(b.number))).toEqual(titles);
  });

  it('explains every number without a record', () => {
    const used = new Set(records.map(({ number }) => Number(number)));
    const last = Math.max(...used);
    const gaps = Array.from({ length: last }, (_, at) => at + 1).filter((number) => !used.has(number));
    const unused = index.slice(index.indexOf('## Numbers without a record')).match(/\b\d{4}\b/g) ?? [];
    expect(unused.map(Number)).toEqual(gaps);
  });

  it('marks each record that another one replaced', () => {
    for (const { number, text } of records) {
      const by = /^Status: superseded by (\d{4})/m.exec(text)?.[1];
      const marked = /Superseded by \[(\d{4})\]/.exec(
        rows.find((row) => row.number === number)?.line ?? '',
      )?.[1];
      expect(marked, number).toBe(by);
    }
  });
});
