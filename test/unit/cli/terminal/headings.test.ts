/**
 * Utterances appear under the heading of their episode, whichever message arrives first. The terminal is a
 * stream that keeps what is written.
 */
import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { createHeadings } from '../../../../src/cli/terminal/headings.ts';
import { createTerminal, type Terminal } from '../../../../src/cli/terminal/terminal.ts';
import { emptyView } from '../../../../src/cli/terminal/view-state.ts';

const e1 = { episode: 'e0001', scenario: 'rain', condition: 'live' };
const e2 = { episode: 'e0002', scenario: 'sun', condition: 'live' };

function written(terminalOf: { columns?: number } = {}): { terminal: Terminal; text(): string } {
  let text = '';
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      text += chunk.toString();
      done();
    },
  });
  const out = Object.assign(stream, { isTTY: terminalOf.columns !== undefined, ...terminalOf });
  return { terminal: createTerminal(out as unknown as NodeJS.WriteStream, () => 0), text: () => text };
}

function room(terminalOf: { columns?: number } = {}) {
  const { terminal, text } = written(terminalOf);
  const headings = createHeadings(terminal);
  const say = (episode: string, turn: number, words: string): void =>
    headings.under(episode, () => terminal.utterance({ turn, agent: 'ada', text: words, note: '' }));
  return { terminal, headings, say, text };
}

it('words that arrive before their episode’s event wait for its heading', () => {
  const { headings, say, text } = room();
  headings.begin(e1);
  say('e0001', 0, 'One.');
  say('e0002', 0, 'Early.');
  expect(text()).toBe('\ne0001 · rain · live\n  ada      One.\n');
  headings.begin(e2);
  say('e0002', 1, 'Later.');
  expect(text()).toBe(
    '\ne0001 · rain · live\n  ada      One.\n\ne0002 · sun · live\n  ada      Early.\n  ada      Later.\n',
  );
});

it('the heading is repeated when another episode continues', () => {
  const { headings, say, text } = room();
  headings.resume(e1);
  headings.begin(e2);
  say('e0001', 3, 'Still here.');
  say('e0002', 0, 'Me too.');
  expect(text().match(/e000\d/g)).toEqual(['e0002', 'e0001', 'e0002']);
  expect(text()).toContain('e0001 · rain · live\n  ada      Still here.\n');
});

it('words whose event never arrives are shown in the end', () => {
  const { headings, say, text } = room();
  headings.begin(e1);
  for (let turn = 0; turn <= 2000; turn++) say('e0002', turn, 'Lost.');
  expect(text()).toContain('\ne0002\n  ada      Lost.\n');
});

it('tokens of another episode are not written into the line of this one', () => {
  const { terminal, headings, say, text } = room();
  headings.begin(e1);
  const speaking = (episode: string, words: string): void =>
    terminal.draw({ ...emptyView('r'), speaking: { episode, turn: 0, agent: 'ada', text: words } });
  speaking('e0001', 'One');
  speaking('e0002', 'Two');
  speaking('e0001', 'One and');
  say('e0001', 0, 'One and all.');
  say('e0001', 1, 'Next.');
  expect(text()).toBe('\ne0001 · rain · live\n  ada      One and all.\n  ada      Next.\n');
});

it('a narrow window breaks an utterance between words', () => {
  const { headings, say, text } = room({ columns: 31 });
  headings.begin(e1);
  say('e0001', 0, 'Nobody breaks inside words.');
  expect(text()).toContain('  ada      Nobody breaks\n           inside words.\n');
});
