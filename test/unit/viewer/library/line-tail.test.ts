import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLineTail, objectsOf } from '../../../../src/viewer/library/line-tail.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-line-tail-'));
  file = join(folder, 'lines.jsonl');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('createLineTail', () => {
  it('gives each whole line once, and a torn one when its end has come', async () => {
    const tail = createLineTail(file);
    expect(await tail.read()).toEqual([]);
    await writeFile(file, 'one\ntw');
    expect(await tail.read()).toEqual(['one']);
    expect(await tail.read()).toEqual([]);
    await appendFile(file, 'o\nthree\n');
    expect(await tail.read()).toEqual(['two', 'three']);
  });

  it('keeps characters whole that lie across two reads', async () => {
    const text = 'é'.repeat(1_200_000);
    await writeFile(file, `x${text}\n`);
    expect(await createLineTail(file).read()).toEqual([`x${text}`]);
  });

  it('reads a file anew that became shorter', async () => {
    const tail = createLineTail(file);
    await writeFile(file, 'one\ntwo\n');
    await tail.read();
    await truncate(file, 0);
    await appendFile(file, 'new\n');
    expect(await tail.read()).toEqual(['new']);
  });
});

describe('objectsOf', () => {
  it('passes over lines that are no objects', () => {
    expect(objectsOf(['{"a":1}', '{', '7', 'null', ''])).toEqual([{ a: 1 }]);
  });
});
