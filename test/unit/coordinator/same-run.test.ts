import { describe, expect, it } from 'vitest';
import { requireItsStream, requireSameRun } from '../../../src/coordinator/same-run.ts';
import { studySchema } from '../../../src/protocol/study.ts';

const person = { persona: '', goal: '', secret: '' };
const scenarios = [{ id: 'x', text: 'x', people: [person, person] }];
const study = studySchema.parse({ name: 't', pairs: [['a', 'b']], scenarios });
const model = { name: 'm', sha256: '1', layers: 2, dims: 4 };
const begun = {
  run: 'r',
  version: '0',
  node: 'v20',
  platform: 'linux-x64',
  study,
  agents: { a: model, b: model },
  startedAtMs: 0,
};
const agents = new Set(['a', 'b']);
const fleetOf = (sha256: string) => ({
  agents: new Map(
    [...agents].map((agent) => [agent, { instance: 'i', atOnce: 1, model: { ...model, sha256 } }]),
  ),
  analyzer: { id: 'analyzer', streamUrl: '' },
});

describe('the name of a run', () => {
  it('stands for one study, seed and model per agent', () => {
    const fleet = fleetOf('1');
    expect(() => requireSameRun(begun, { study, fleet, agents })).not.toThrow();
    const other = { ...study, seed: 2, maxTurns: 4 };
    expect(() => requireSameRun(begun, { study: other, fleet, agents })).toThrow(
      /other seed, maxTurns\).*--run/,
    );
    expect(() => requireSameRun(begun, { study, fleet: fleetOf('2'), agents })).toThrow(/model of agent "a"/);
  });

  it('is taken if turns were spoken that the NATS server does not know of', () => {
    expect(() => requireItsStream('r', { stored: 0, spoken: 0 })).not.toThrow();
    expect(() => requireItsStream('r', { stored: 9, spoken: 3 })).not.toThrow();
    expect(() => requireItsStream('r', { stored: 0, spoken: 3 })).toThrow(/has 3 spoken turns/);
  });
});
