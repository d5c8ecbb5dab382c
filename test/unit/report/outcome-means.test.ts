/** Means of outcomes over scenarios, beside SciPy's t interval and paired t test. */
import { describe, expect, it } from 'vitest';
import type { RunTalk } from '../../../src/process/run-folder/read-talk.ts';
import type { OutcomeLine } from '../../../src/protocol/outcomes.ts';
import { studySchema, type Condition } from '../../../src/protocol/study.ts';
import { outcomeMeans } from '../../../src/report/outcome-means.ts';

const LIVE = [0.2, 0.5, 0.9, 0.4];
const MONOLOGUE = [0.1, 0.45, 0.2, 0.35];
const scenarios = LIVE.map((_, at) => ({ id: `s${at}`, text: 'x', people: [{}, {}] }));
const study = studySchema.parse({ name: 't', pairs: [['ada', 'ben']], scenarios });

/** Of each scenario two episodes, whose means lie 0.05 below and above the value; of each episode two agents. */
function runOf(values: Partial<Record<Condition, readonly number[]>>): [RunTalk, OutcomeLine[]] {
  const episodes: RunTalk['episodes'] = [];
  const lines: OutcomeLine[] = [];
  for (const [condition, means] of Object.entries(values) as [Condition, readonly number[]][])
    for (const [at, mean] of means.entries())
      for (const shift of [-0.05, 0.05]) {
        const id = `e${episodes.length}`;
        const order = ['ada', 'ben'];
        episodes.push({ id, scenario: `s${at}`, condition, order, seed: 1, startedAtMs: 0, turns: [] });
        for (const [agent, own] of [
          ['ada', -0.1],
          ['ben', 0.1],
        ] as const)
          lines.push({
            type: 'outcome',
            run: 'r',
            episode: id,
            atMs: 0,
            agent,
            name: 'success',
            value: mean + shift + own,
            source: 'rule',
          });
      }
  const facts = { run: 'r', version: '0', node: 'v20', platform: 'linux', study, agents: {}, startedAtMs: 0 };
  return [{ folder: '', facts, episodes }, lines];
}

describe('means of outcomes', () => {
  const [live, monologue, difference] = outcomeMeans(...runOf({ live: LIVE, monologue: MONOLOGUE }));

  it('are those of the scenarios, with the interval of scipy.stats.t.interval', () => {
    expect(live).toMatchObject({ outcome: 'rule success', of: 'live', episodes: 8, scenarios: 4 });
    expect([live?.mean, live?.low, live?.high]).toEqual(close([0.5, 0.0315565876967618, 0.968443412303238]));
    expect([monologue?.mean, monologue?.low, monologue?.high]).toEqual(
      close([0.275, 0.0276343082876404, 0.52236569171236]),
    );
  });

  it('differ by the paired test of scipy.stats.ttest_rel', () => {
    expect(difference).toMatchObject({ of: 'live − monologue', episodes: 16, scenarios: 4 });
    expect([difference?.mean, difference?.low, difference?.high, difference?.pValue]).toEqual(
      close([0.225, -0.280281213535197, 0.730281213535197, 0.251444314740362]),
    );
  });

  it('have neither interval nor test where nothing varies, or with one scenario', () => {
    const same = outcomeMeans(...runOf({ live: [0.5, 0.5, 0.5], monologue: [0.5, 0.5, 0.5] }));
    for (const one of same) {
      expect(one).not.toHaveProperty('low');
      expect(one).not.toHaveProperty('pValue');
    }
    expect(outcomeMeans(...runOf({ live: [0.5] }))[0]).not.toHaveProperty('low');
  });

  it('are none where there are no outcomes', () => {
    expect(outcomeMeans(runOf({ live: LIVE })[0], [])).toEqual([]);
  });
});

const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 9) as number);
