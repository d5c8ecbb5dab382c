import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SWITCH_OFFS } from '../../fixtures/chaos/switch-offs.ts';

describe('every scenario of chaos', () => {
  it.each(Object.entries(SWITCH_OFFS))('%s finds its mechanism once in the sources', (_, { changes }) => {
    for (const { file, from } of changes)
      expect(readFileSync(`src/${file}.ts`, 'utf8').split(from)).toHaveLength(2);
  });
});
