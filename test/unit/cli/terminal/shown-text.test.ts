/** What others say and how they call themselves cannot steer the terminal of whoever watches. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runLines } from '../../../../src/cli/service/tables.ts';
import { createTerminal } from '../../../../src/cli/terminal/terminal.ts';
import type { RunView } from '../../../../src/protocol/service-messages.ts';

/** Clears the screen, sets the title, fills the clipboard, hides text, and turns letters around. */
const ATTACKS = [
  '\u001b[2J',
  '\u001b]0;owned\u0007',
  '\u001b]52;c;cm0=\u0007',
  '\u009b8m',
  '\b\b',
  '\u202egnp',
];
const STEERS = /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;
const ESCAPE = '\u001b';
const OWN = new RegExp(`${ESCAPE}\\[(?:[\\d;]*m|\\d+A${ESCAPE}\\[0J)`, 'g');

/** What the terminal writes, without its own colours and moves. */
function written(isTTY: boolean, act: (terminal: ReturnType<typeof createTerminal>) => void): string {
  const out = Object.assign(new PassThrough(), { isTTY, columns: 80, rows: 24 });
  act(createTerminal(out as unknown as NodeJS.WriteStream, () => 1000));
  return String(out.read() ?? '').replaceAll(OWN, '');
}

describe.each([true, false])('the terminal (a window: %s)', (isTTY) => {
  it.each(ATTACKS)('shows %j of an agent and a program, and does not obey it', (attack) => {
    const text = written(isTTY, (terminal) => {
      terminal.heading('e1', `s1 ${attack}`);
      terminal.utterance({ turn: 0, agent: 'ben', text: `hello ${attack} there`, note: '' });
      terminal.line(`a line ${attack}`);
      terminal.close();
    });
    expect(text).toContain('hello');
    expect(text).not.toMatch(STEERS);
  });
});

it('tables of the service show it, too', () => {
  const run = { run: 'r', state: 'failed', episodes: { finished: 0, all: 1 }, submitter: 'bob', priority: 0 };
  const view = { ...run, agents: [], submittedAtMs: 0, reason: ATTACKS.join(' ') } as unknown as RunView;
  expect(runLines([view], 0).join('\n')).not.toMatch(STEERS);
});
