import { expect, it } from 'vitest';
import { viewerArguments } from '../../../../src/cli/start/viewer-process.ts';

const SETTINGS = { run: 'demo', runs: 'runs', host: '127.0.0.1', viewPort: 0 };

it('guards the words with a token of their own where one is given, and with that of the figures else', () => {
  const tokens = (httpTokenFile?: string, viewTokenFile?: string): string[] =>
    viewerArguments({ ...SETTINGS, httpTokenFile, viewTokenFile }).filter((one, at, all) =>
      [one, all[at - 1]].some((flag) => flag?.endsWith('-token-file')),
    );
  expect(tokens()).toEqual([]);
  expect(tokens('figures')).toEqual(['--http-token-file', 'figures']);
  expect(tokens(undefined, 'words')).toEqual(['--http-token-file', 'words']);
  expect(tokens('figures', 'words')).toEqual([
    '--http-token-file',
    'words',
    '--figures-token-file',
    'figures',
  ]);
});
