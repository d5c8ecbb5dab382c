import { describe, expect, it } from 'vitest';
import { NOTHING, reduce, type RunModel } from '../../../../../src/viewer/page/state/run-model.ts';
import type {
  EpisodeView,
  FeedMessage,
  RunView,
  UtteranceView,
} from '../../../../../src/viewer/view-data.ts';

const talk = (episode: string, open = true): EpisodeView => ({
  episode,
  scenario: 'shop',
  condition: 'live',
  order: ['ada', 'ben'],
  turns: 0,
  open,
});
const said = (episode: string, turn: number): FeedMessage => {
  const utterance: UtteranceView = { episode, turn, agent: 'ada', text: 'done', finish: 'stop' };
  return { type: 'utterance', utterance };
};
const token = (episode: string, turn: number, text: string): FeedMessage => ({
  type: 'token',
  token: { episode, turn, agent: 'ada', text },
});
const changed = (view: EpisodeView): FeedMessage => ({ type: 'talk', talk: view });

const read = (...talks: EpisodeView[]): RunModel =>
  reduce(NOTHING, { type: 'read', run: { run: 'r', talks } as unknown as RunView });
const after = (model: RunModel, ...messages: FeedMessage[]): RunModel =>
  reduce(model, { type: 'news', messages });

describe('the liveliest episode', () => {
  it('is the last that is open, stays while it is open, and is then the next that speaks', () => {
    const begun = read(talk('e0001', false), talk('e0002'), talk('e0003'));
    expect(begun.liveliest).toBe('e0003');
    const elsewhere = after(begun, said('e0002', 0));
    expect(elsewhere.liveliest).toBe('e0003');
    expect(after(elsewhere, changed(talk('e0003', false)), said('e0002', 1)).liveliest).toBe('e0002');
  });

  it('is one in which they hear one another, where there is one', () => {
    const deaf = (episode: string, open = true): EpisodeView => ({
      ...talk(episode, open),
      condition: 'monologue',
    });
    const begun = read(talk('e0001'), deaf('e0002'), talk('e0003'), deaf('e0004'));
    expect(begun.liveliest).toBe('e0003');
    const over = after(begun, changed(talk('e0003', false)), said('e0004', 0));
    expect(over.liveliest).toBe('e0001');
    expect(after(over, changed(talk('e0001', false)), said('e0002', 0)).liveliest).toBe('e0004');
  });
});

describe('the words of an open page', () => {
  it('are those of tokens until the whole utterance comes, and late tokens do not bring them back', () => {
    const speaking = after(read(talk('e0001')), token('e0001', 0, 'hel'), token('e0001', 0, 'lo'));
    expect(speaking.speaking.get('e0001')?.text).toBe('hello');
    const whole = after(speaking, said('e0001', 0), token('e0001', 0, 'late'));
    expect(whole.speaking.has('e0001')).toBe(false);
    expect(whole.words.get('e0001')?.map(({ text }) => text)).toEqual(['done']);
  });

  it('go with an episode that is over, unless it is looked at', () => {
    const model = after(read(talk('e0001'), talk('e0002')), said('e0001', 0), said('e0002', 0));
    const over = after(model, token('e0001', 1, 'cut'), changed(talk('e0001', false)));
    expect([...over.words.keys()]).toEqual(['e0002']);
    expect(over.speaking.size).toBe(0);
    // Late tokens bring nothing back; those of an episode that is not known yet are shown once it is.
    const late = after(over, token('e0001', 1, 'late'), token('e0009', 0, 'early'));
    expect([...late.speaking.keys()]).toEqual(['e0009']);
    const seen = reduce(model, { type: 'words', episode: 'e0001', words: [] });
    expect([...after(seen, changed(talk('e0001', false))).words.keys()]).toEqual(['e0001', 'e0002']);
  });
});

describe('the list of episodes', () => {
  it('stays in the order of their names, whatever order they change in, and messages may come twice', () => {
    const model = read(talk('e0001'), talk('e0003'));
    const news = [changed(talk('e0002')), changed(talk('e0004')), changed(talk('e0001', false))];
    const found = after(model, ...news, ...news).run?.talks.map(({ episode, open }) => [episode, open]);
    expect(found).toEqual([
      ['e0001', false],
      ['e0002', true],
      ['e0003', true],
      ['e0004', true],
    ]);
  });
});
