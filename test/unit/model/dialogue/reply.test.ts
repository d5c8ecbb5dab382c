/** What of a reply is told, and when: nothing that is not said in the end. */
import { describe, expect, it } from 'vitest';
import { createReply, type ReplyOptions } from '../../../../src/model/dialogue/reply.ts';
import type { SpokenToken, StepStates } from '../../../../src/model/types.ts';

/** A token is its index in the pieces. */
function write(pieces: readonly string[], options: Partial<ReplyOptions> = {}) {
  const tokens: SpokenToken[] = [];
  const steps: StepStates[] = [];
  const reply = createReply({
    decode: (ids) => ids.map((id) => pieces[id] ?? '').join(''),
    idOf: (token) => (pieces.includes(token) && token.startsWith('<|') ? pieces.indexOf(token) : undefined),
    stops: [],
    pairs: [{ open: '[THINK]', close: '[/THINK]' }],
    begins: 'speaking',
    closing: '',
    onToken: (token) => tokens.push(token),
    onSteps: (states) => steps.push(states),
    ...options,
  });
  const early: string[] = [];
  let stopped = false;
  for (const [id] of pieces.entries()) {
    stopped = reply.push(id);
    if (stopped) break;
    early.push(tokens.map(({ text }) => text).join(''));
    reply.states((role, bytes) => ({
      role,
      step0: id,
      bytes: [bytes],
      layers: [],
      data: new Float32Array(),
    }));
  }
  return { text: reply.end(), stopped, tokens, early, steps };
}

const told = ({ tokens }: { tokens: SpokenToken[] }): string[] => tokens.map(({ text }) => text);
const stepsOf = ({ steps }: { steps: StepStates[] }): unknown[] =>
  steps.map(({ role, step0, bytes }) => [role, step0, ...(bytes[0] ?? [])]);

describe('a stop string', () => {
  it('cut into tokens leaves none of them behind', () => {
    const reply = write(['Hi', ' there', '.', '\n', 'US', 'ER', ':', ' no'], { stops: ['\nUSER:'] });
    expect(reply).toMatchObject({ text: 'Hi there.', stopped: true });
    expect(told(reply)).toEqual(['Hi', ' there', '.']);
    expect(stepsOf(reply)).toEqual([
      ['speak', 0, 0, 2],
      ['speak', 1, 2, 8],
      ['speak', 2, 8, 9],
    ]);
  });

  it('that begins within a token keeps the text before it', () => {
    const reply = write(['Hi', ' you\nUS', 'ER:'], { stops: ['\nUSER:'] });
    expect(told(reply)).toEqual(['Hi', ' you']);
    expect(reply.tokens.at(-1)).toMatchObject({ byte0: 2, byte1: 6 });
  });

  it('that only seems to begin is released when later text rules it out', () => {
    const reply = write(['a', '\n', 'US', 'A', '!'], { stops: ['\nUSER:'] });
    expect(reply).toMatchObject({
      text: 'a\nUSA!',
      stopped: false,
      early: ['a', 'a', 'a', 'a\nUSA', 'a\nUSA!'],
    });
    expect(stepsOf(reply)).toHaveLength(5);
  });

  it('is said if the reply ends before it is complete', () => {
    expect(write(['a', 'US'], { stops: ['USER:'] })).toMatchObject({ text: 'aUS' });
  });

  it('removes blanks before it, as the end of a reply does', () => {
    const reply = write(['a', ' ', '  ', 'ST', 'OP'], { stops: ['STOP'] });
    expect([reply.text, told(reply), stepsOf(reply).length]).toEqual(['a', ['a'], 1]);
    const ended = write(['a', ' b', ' ', '\n']);
    expect([ended.text, told(ended)]).toEqual(['a b', ['a', ' b']]);
  });
});

describe('reasoning in a reply', () => {
  it('is found if plain text of many tokens marks it', () => {
    const reply = write(['[TH', 'INK', '] plot', ' [/', 'THINK]', ' Nice', '.']);
    expect(reply.text).toBe('Nice.');
    expect(told(reply)).toEqual(['Nice', '.']);
    expect(stepsOf(reply).map((step) => (step as string[])[0])).toEqual([
      'think',
      'think',
      'think',
      'think',
      'think',
      'speak',
      'speak',
    ]);
  });

  it('is left out of the middle of a reply', () => {
    const reply = write(['Well,', '[THINK]', 'plot', '[/THINK]', ' yes.']);
    expect([reply.text, told(reply)]).toEqual(['Well, yes.', ['Well,', ' yes.']]);
  });

  it('without an end leaves nothing to say', () => {
    expect(write(['[THINK]', 'plot', ' on'])).toMatchObject({ text: '', tokens: [] });
    expect(write(['plot', ' on'], { begins: 'thinking' })).toMatchObject({ text: '', tokens: [] });
  });

  it('that shows only at its end holds everything back', () => {
    const reply = write(['plot', ' on', '[/THINK]', 'Yes.'], { begins: 'unknown' });
    expect(reply).toMatchObject({ text: 'Yes.', early: ['', '', '', 'Yes.'] });
    expect(write(['Yes', '.'], { begins: 'unknown' })).toMatchObject({ text: 'Yes.', early: ['', ''] });
  });

  it('that was taken for speech is removed from it', () => {
    const reply = write(['plot', '[/THINK]', 'Yes.']);
    expect(reply.text).toBe('Yes.');
    expect(stepsOf(reply).at(-1)).toEqual(['speak', 2, 0, 4]);
  });
});
