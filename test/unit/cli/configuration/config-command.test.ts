/** What `entrain config` prints. */
import { readFileSync } from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import { run } from '../../../../src/cli/configuration/config-command.ts';

afterEach(() => vi.restoreAllMocks());

it('shows every variable of NATS that the reference lists', { timeout: 120_000 }, async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await run(['coordinator', '--json']);
  const rows = JSON.parse(String(log.mock.calls[0]?.[0])) as { program: string; name: string }[];
  const page = readFileSync('docs/reference/configuration.md', 'utf8');
  const listed = [...page.matchAll(/^\| `(NATS_\w+)`/gm)].map(([, name]) => String(name));
  const shown = rows.flatMap(({ program, name }) => (program === 'all' ? [name] : []));
  expect(shown.toSorted()).toEqual(listed.toSorted());
});
