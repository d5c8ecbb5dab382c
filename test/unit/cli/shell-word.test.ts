import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellWord } from '../../../src/cli/shell-word.ts';

it.each(['', '/runs/demo-1', 'a space\'s $HOME `id` "é" \\ *', "'", "a'b''c"])(
  'a shell reads %j as one word',
  (text) => {
    const read = spawnSync('sh', ['-c', `printf '<%s>' ${shellWord(text)}`], { encoding: 'utf8' });
    expect(read.stdout).toBe(`<${text}>`);
  },
);

it('a plain path stands as it is', () => {
  expect(shellWord('runs/demo@2:1,x%=+')).toBe('runs/demo@2:1,x%=+');
});
