/**
 * Utterances appear under the heading of their episode, whichever message arrives first. The terminal is a
 * stream that keeps what is written.
 */
import { Writable } from 'node:stream';
import { afterEach, expect, it, vi } from 'vitest';
import { createHeadings } from '../../../../src/cli/terminal/headings.ts';
import { createTerminal, type Terminal } from '../../../../src/cli/terminal/terminal.ts';
import { emptyView } from '../../../../src/cli/terminal/view-state.ts';

const e1 = { episode: 'e0001', scenario: 'rain', condition: 'live' };
const e2 = { episode: 'e0002', scenario: 'sun', condition: 'live' };
const e3 = { episode: 'e0003', scenario: 'snow', condition: 'live' };

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

it('prints words that arrive before the event of their episode under its heading', () => {
  const { headings, say, text } = room();
  say('e0001', 0, 'Early.');
  expect(text()).toBe('');
  headings.begin(e1);
  say('e0001', 1, 'Later.');
  expect(text()).toBe('\ne0001 · rain · live\n  ada      Early.\n  ada      Later.\n');
});

it('prints one episode of several at once to its end, then the next with what was said in it meanwhile', () => {
  const { headings, say, text } = room();
  headings.begin(e1);
  headings.begin(e2);
  say('e0002', 0, 'Two a.');
  say('e0001', 0, 'One a.');
  say('e0002', 1, 'Two b.');
  say('e0001', 1, 'One b.');
  headings.end('e0001');
  say('e0002', 2, 'Two c.');
  expect(text()).toBe(
    '\ne0001 · rain · live\n  ada      One a.\n  ada      One b.\n' +
      '\ne0002 · sun · live\n  ada      Two a.\n  ada      Two b.\n  ada      Two c.\n',
  );
});

it('prints an episode whole that ended while another was in focus', () => {
  const { headings, say, text } = room();
  for (const heading of [e1, e2, e3]) headings.begin(heading);
  say('e0002', 0, 'Two.');
  headings.end('e0002');
  say('e0003', 0, 'Three.');
  say('e0001', 0, 'One.');
  headings.end('e0001');
  expect(text().match(/e000\d|One|Two|Three/g)).toEqual(['e0001', 'One', 'e0002', 'Two', 'e0003', 'Three']);
});

it('prints what still waits when the run ends', () => {
  const { headings, say, text } = room();
  headings.begin(e1);
  headings.begin(e2);
  say('e0002', 0, 'Two.');
  headings.flush();
  expect(text()).toContain('\ne0002 · sun · live\n  ada      Two.\n');
});

it('prints the next words of an episode that began before this program under its heading', () => {
  const { headings, say, text } = room();
  headings.resume(e1);
  headings.begin(e2);
  say('e0001', 3, 'Still here.');
  say('e0002', 0, 'Me too.');
  headings.end('e0001');
  expect(text()).toBe(
    '\ne0001 · rain · live\n  ada      Still here.\n\ne0002 · sun · live\n  ada      Me too.\n',
  );
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
    terminal.draw({
      ...emptyView('r'),
      speaking: new Map([[episode, { turn: 0, agent: 'ada', text: words }]]),
    });
  speaking('e0001', 'One');
  speaking('e0002', 'Two');
  speaking('e0001', 'One and');
  say('e0001', 0, 'One and all.');
  say('e0001', 1, 'Next.');
  expect(text()).toBe('\ne0001 · rain · live\n  ada      One and all.\n  ada      Next.\n');
});

it('a narrow window breaks an utterance between words', () => {
  vi.stubEnv('NO_COLOR', '1');
  const { headings, say, text } = room({ columns: 31 });
  headings.begin(e1);
  say('e0001', 0, 'Nobody breaks inside words.');
  expect(text()).toContain('  ada      Nobody breaks\n           inside words.\n');
  expect(text()).not.toContain('\u001b[1');
});

it('names have colours on a terminal, another one for each agent, and none with NO_COLOR', () => {
  vi.stubEnv('NO_COLOR', '');
  vi.stubEnv('TERM', 'xterm');
  const { headings, say, text } = room({ columns: 80 });
  headings.begin(e1);
  say('e0001', 0, 'Hello.');
  expect(text()).toContain('\u001b[1me0001 · rain · live\u001b[0m\n');
  expect(text()).toContain('  \u001b[1;36mada\u001b[0m      Hello.\n');
});

afterEach(() => vi.unstubAllEnvs());
