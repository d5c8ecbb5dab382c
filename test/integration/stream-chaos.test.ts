import { describe, expect, it } from 'vitest';
import { badLine, killAgents, killAnalyzers } from '../../bench/chaos/scenarios.ts';
import { seededRandom } from '../../bench/chaos/seeded-random.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
const random = seededRandom(seed);

// The long form is `npm run chaos`.
describe('nothing is lost or doubled', () => {
  it.each([
    ['the analyzer is killed five times under eight senders', killAnalyzers, 5],
    ['agents are killed ten times', killAgents, 10],
    ['the line delays, splits, joins, resets and truncates a hundred connections', badLine, 100],
  ])(
    'when %s',
    async (_, scenario, times) => {
      expect({ seed, ...(await scenario({ times, random })) }).toMatchObject({ failures: [] });
    },
    120_000,
  );
});
