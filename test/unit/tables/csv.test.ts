/** CSV as RFC 4180 has it: what is written is read back, and what is damaged is refused with its line. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvText, parseCsv } from '../../../src/tables/csv.ts';

const fieldsOf = (text: string): string[][] => parseCsv(text, 'x.csv').map(({ fields }) => fields);

describe('CSV', () => {
  it('gives every table of texts back as it was', () => {
    const texts = fc.oneof(fc.string(), fc.constantFrom('a,b', 'say "x"', 'one\ntwo', 'one\r\ntwo', ''));
    const cell = texts.filter((text) => !/^[=+@\t\r-]/.test(text)); // formulas: below
    const table = fc.array(fc.tuple(cell, cell, cell), { maxLength: 6 });
    fc.assert(
      fc.property(table, (rows) => {
        expect(fieldsOf(csvText(['a', 'b', 'c'], rows)).slice(1)).toEqual(rows);
      }),
    );
  });

  it('reads lines that end in LF, CR or CR LF, the last one without an end, and no empty one', () => {
    expect(fieldsOf('a,b\n1,2\r3,4\r\n\n5,6')).toEqual([
      ['a', 'b'],
      ['1', '2'],
      ['3', '4'],
      ['5', '6'],
    ]);
    expect(fieldsOf('')).toEqual([]);
  });

  it('counts lines as an editor does, those within quotes too', () => {
    expect(parseCsv('a\r\n"x\ny"\nb', 'x.csv').map(({ line }) => line)).toEqual([1, 2, 4]);
  });

  it('refuses a quote that is never closed and text behind one, naming the line', () => {
    expect(() => parseCsv('a\n"b', 'x.csv')).toThrow('Line 2 of x.csv has a quote that is never closed.');
    expect(() => parseCsv('"a" b', 'x.csv')).toThrow('Line 1 of x.csv has text behind the closing quote');
  });

  it('writes a cell that is not there as nothing, and numbers with all their digits', () => {
    expect(csvText(['a', 'b', 'c'], [[undefined, 0.1 + 0.2, true]])).toBe(
      'a,b,c\r\n,0.30000000000000004,true\r\n',
    );
  });
});

it('writes no text that a spreadsheet would take for a formula', () => {
  const said = ['=1+2', '@SUM(1)', '+cmd', '-2+3', '\t=1', '-0.5', 'a=b', '- yes'];
  const fields = fieldsOf(
    csvText(
      ['a'],
      said.map((text) => [text]),
    ),
  )
    .slice(1)
    .flat();
  expect(fields).toEqual(["'=1+2", "'@SUM(1)", "'+cmd", "'-2+3", "'\t=1", '-0.5', 'a=b', "'- yes"]);
  expect(csvText(['a'], [[-0.5]])).toBe('a\r\n-0.5\r\n');
});
