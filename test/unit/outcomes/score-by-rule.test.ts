/** Rules that score a talk, by talks written for them. */
import { describe, expect, it } from 'vitest';
import { scoreByRule } from '../../../src/outcomes/score-by-rule.ts';
import { lastNamed } from '../../../src/outcomes/match-words.ts';
import { wordsOf } from '../../../src/process/run-folder/words-of.ts';
import { ruleFault, type Rule } from '../../../src/protocol/scenarios/rule-schema.ts';

const success = (rule: Rule, turns: string[]): (number | undefined)[] =>
  scoreByRule(rule, turns).map((scores) => scores['success']);

describe('the last value that is named', () => {
  it('is found without regard to case, punctuation and how accents are encoded', () => {
    expect(lastNamed(wordsOf('We meet at NOON, not at one!'), ['noon', 'two'])).toBe('noon');
    expect(lastNamed(wordsOf('Jose\u0301 it is'), ['José'])).toBe('José');
  });

  it('is the longer of two that overlap, and whole words alone count', () => {
    expect(lastNamed(wordsOf('in Park Lane'), ['park', 'park lane'])).toBe('park lane');
    expect(lastNamed(wordsOf('the carpark'), ['park'])).toBeUndefined();
    expect(lastNamed(wordsOf('12 or 120'), ['12', '120'])).toBe('120');
  });
});

describe('the rule of a mutual friend', () => {
  const rule: Rule = {
    kind: 'friend',
    names: [
      ['Ann', 'Bob', 'Cid'],
      ['Dan', 'Bob', 'Eve'],
    ],
  };

  it('is met when both name the one they share last', () => {
    expect(success(rule, ['Do you know Ann?', 'No. Bob?', 'Yes, Bob!'])).toEqual([1, 1]);
  });

  it('is not met when one goes on to another name, or both settle on one that only one knows', () => {
    expect(success(rule, ['Bob?', 'Bob or Eve?', 'I see.'])).toEqual([0, 0]);
    expect(success(rule, ['Ann?', 'Yes, Ann.'])).toEqual([0, 0]);
    expect(success(rule, [])).toEqual([0, 0]);
  });
});

describe('the rule of a meeting', () => {
  const rule: Rule = {
    kind: 'meeting',
    times: [
      ['nine', 'ten'],
      ['ten', 'noon'],
    ],
    places: [
      ['the park', 'the lake'],
      ['the lake', 'the mill'],
    ],
  };

  it('gives half for the time and half for the place', () => {
    expect(success(rule, ['At nine in the park?', 'At ten, by the lake.', 'Ten, the lake. Good.'])).toEqual([
      1, 1,
    ]);
    expect(success(rule, ['At ten in the park?', 'Ten, but the mill.'])).toEqual([0.5, 0.5]);
  });
});

describe('the rule of a price', () => {
  const rule: Rule = { kind: 'price', seller: 1, least: 20, most: 40 };

  it('is met by a price between both limits that both name last, and shares the room between them', () => {
    expect(scoreByRule(rule, ['I want 50.', 'I give 25.', 'Then 25 it is.'])).toEqual([
      { success: 1, share: 0.25 },
      { success: 1, share: 0.75 },
    ]);
    expect(scoreByRule({ ...rule, seller: 2 }, ['25?', 'Yes, $25.00'])[1]).toEqual({
      success: 1,
      share: 0.25,
    });
  });

  it('is not met outside of the limits, by two prices, or by none', () => {
    expect(success(rule, ['50!', '50, fine.'])).toEqual([0, 0]);
    expect(success(rule, ['10?', '10, fine.'])).toEqual([0, 0]);
    for (const limit of ['20', '40']) expect(success(rule, [limit, limit])).toEqual([1, 1]);
    expect(success(rule, ['30?', '28?'])).toEqual([0, 0]);
    expect(success(rule, ['Hello', 'Hi'])).toEqual([0, 0]);
  });

  it('reads a price with thousands', () => {
    expect(success({ ...rule, least: 1000, most: 2000 }, ['1,500?', '1500, yes.'])).toEqual([1, 1]);
  });
});

describe('the rule of a division', () => {
  const rule: Rule = {
    kind: 'division',
    values: [
      { hat: 1, ball: 2, 'old book': 3 },
      { hat: 3, ball: 2, 'old book': 1 },
    ],
  };

  it('counts items whose owner both state alike', () => {
    const best = [
      'I take the old book and you get the hat. You can have the ball.',
      'Fine, I take the hat and the ball, you the old book.',
    ];
    expect(scoreByRule(rule, best)).toEqual([
      { success: 1, points: 0.5 },
      { success: 1, points: 5 / 6 },
    ]);
  });

  it('leaves out what only one states, and what is denied', () => {
    expect(success(rule, ['I take the hat.', 'Hello.'])).toEqual([0, 0]);
    expect(success(rule, ["I don't want the hat.", 'You take the hat.'])).toEqual([0, 0]);
  });

  it('counts the last statement about an item', () => {
    expect(success(rule, ['I take the hat.', 'No. I take the hat!', 'Well, you take the hat.'])).toEqual([
      3 / 8,
      3 / 8,
    ]);
  });
});

describe('the rules of secrets and messages', () => {
  const secret: Rule = { kind: 'secret', holder: 2, word: 'silver key' };

  it('let the holder succeed by silence, and the other by hearing it', () => {
    expect(success(secret, ['What is it?', 'I cannot say.', 'The silver key?'])).toEqual([0, 1]);
    expect(success(secret, ['What is it?', 'The Silver Key.'])).toEqual([1, 0]);
  });

  it('take a message for relayed once the other says it after the holder', () => {
    const relay: Rule = { kind: 'relay', holder: 1, word: 'storm' };
    expect(success(relay, ['A storm is coming.', 'A storm? Thank you!'])).toEqual([1, 1]);
    expect(success(relay, ['Hello.', 'A storm?', 'Yes, a storm.'])).toEqual([0, 0]);
  });

  it('ask whether the one who believes otherwise names the truth last', () => {
    const belief: Rule = { kind: 'belief', knower: 1, truth: 'shed', belief: 'kitchen' };
    expect(success(belief, ['It is in the shed.', 'Not in the kitchen? So the shed.'])).toEqual([1, 1]);
    expect(success(belief, ['It is in the shed.', 'The shed? No, the kitchen.'])).toEqual([0, 0]);
  });
});

describe('rules that cannot be met', () => {
  it.each<[string, Rule]>([
    ['names nobody whom both know', { kind: 'friend', names: [['Ann'], ['Bob']] }],
    ['has no time', { kind: 'meeting', times: [['one'], ['two']], places: [['a'], ['a']] }],
    ['has no place', { kind: 'meeting', times: [['one'], ['one']], places: [['a'], ['b']] }],
    ['no price suits both', { kind: 'price', seller: 1, least: 9, most: 9 }],
    ['values other items', { kind: 'division', values: [{ hat: 1 }, { ball: 1 }] }],
    ['worth something', { kind: 'division', values: [{ hat: 0 }, { hat: 0 }] }],
    ['one word for truth', { kind: 'belief', knower: 1, truth: 'shed', belief: 'shed' }],
  ])('are refused: %s', (said, rule) => expect(ruleFault(rule)).toContain(said));
});
