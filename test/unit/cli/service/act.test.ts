/** Flags of the requests to the service: each request has its own, and refuses those of another one. */
import { expect, it } from 'vitest';
import { ownHelp } from '../../../../src/cli/own-help.ts';
import { run, usage } from '../../../../src/cli/service/act.ts';

it.each([
  ['stop', 'one', '--undo'],
  ['resume', 'one', '--undo'],
  ['drain', 'ada', '--analyzer'],
  ['runs', '--analyzer'],
])('%s %s refuses a flag of another request', async (...argv) => {
  await expect(run(argv)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringMatching(/--(undo|analyzer)/),
  });
});

it('each help page lists the flags of its own request alone', () => {
  const flags = (verb: string): string[] =>
    ownHelp(usage(), verb)
      .match(/^ +--[a-z]+/gm)
      ?.map((flag) => flag.trim()) ?? [];
  expect(flags('stop')).toEqual(['--runs', '--json']);
  expect(flags('fleet')).toEqual(['--runs', '--json']);
  expect(flags('drain')).toEqual(['--runs', '--json', '--undo']);
  expect(flags('remove')).toEqual(['--runs', '--json', '--undo', '--analyzer']);
});
