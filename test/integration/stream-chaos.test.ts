import { describe, expect, it } from 'vitest';
import { fuzzDecoder } from '../fixtures/chaos/fuzz-decoder.ts';
import { hostileClients } from '../fixtures/chaos/hostile.ts';
import { killNats } from '../fixtures/chaos/nats-killed.ts';
import { badLine, killAgents, killAnalyzers } from '../fixtures/chaos/scenarios.ts';
import { seededRandom } from '../fixtures/seeded-random.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
const random = seededRandom(seed);

// `npm run chaos` runs these scenarios longer.
it('the decoder answers every input with a message or an error, within 50 ms', async () => {
  expect({ seed, ...(await fuzzDecoder({ times: 4, random })) }).toMatchObject({ failures: [] });
});

describe('the activation stream loses and duplicates no frame', () => {
  it.each([
    ['the analyzer is killed five times under eight senders', killAnalyzers, 5],
    ['agents are killed ten times', killAgents, 10],
    ['nats-server is killed twice while turns and events are written', killNats, 2],
    ['two hundred hostile clients come at once', hostileClients, 1],
    ['the line delays, splits, joins, resets and truncates a hundred connections', badLine, 100],
  ])(
    'when %s',
    async (_, scenario, times) => {
      expect({ seed, ...(await scenario({ times, random })) }).toMatchObject({ failures: [] });
    },
    120_000,
  );
});
