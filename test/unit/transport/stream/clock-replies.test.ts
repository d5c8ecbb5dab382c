/** What a peer's clock replies may claim: a reply that cannot be true gives no figure, and is counted. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { decodeMessage, encodeMessage } from '../../../../src/protocol/stream/codec.ts';
import type { Clock, ClockReply, StreamMessage } from '../../../../src/protocol/stream/frames.ts';
import {
  RUN,
  startAnalyzer,
  temporaryFolder,
  tokenFor,
  waitFor,
  type TestAnalyzer,
} from '../../../fixtures/stream/stream-fixture.ts';

const DAY_NS = 86_400_000_000_000n;
const EXCHANGES = 8;

const stops: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

type Claim = Pick<ClockReply, 'receivedNs' | 'repliedNs'> & Partial<Pick<ClockReply, 'sentNs'>>;

/**
 * A peer whose replies claim what `claim` makes of the true time since it began, and of how often it was asked before.
 */
async function peer(
  claim: (trueNs: bigint, times: number, asked: Clock) => Claim,
  { measuredDaysAgo }: { measuredDaysAgo?: number } = {},
): Promise<{ analyzer: TestAnalyzer; asked(): number }> {
  const folder = await temporaryFolder();
  if (measuredDaysAgo !== undefined) {
    await mkdir(join(folder, 'streams', 'ada'), { recursive: true });
    const wallMs = Date.now() - measuredDaysAgo * 86_400_000;
    await writeFile(join(folder, 'streams', 'ada', 'clock.jsonl'), `{"epoch":1,"wallMs":${wallMs}}\n`);
  }
  const analyzer = await startAnalyzer({ folder });
  const startNs = process.hrtime.bigint();
  let asked = 0;
  const socket = new WebSocket(analyzer.url, { headers: { authorization: `bearer  ${tokenFor('ada')}` } });
  const send = (message: StreamMessage): void => socket.send(encodeMessage(message));
  socket.on('open', () =>
    send({ type: 'hello', version: [2, 0], run: RUN, stream: 'ada', epoch: 1, firstSeq: 0, lastSeq: -1 }),
  );
  socket.on('message', (data) => {
    const message = decodeMessage(data as Buffer);
    if (message.type !== 'clock') return;
    const reply = claim(process.hrtime.bigint() - startNs, asked, message);
    asked += 1;
    send({ type: 'clock-reply', id: message.id, sentNs: message.sentNs, ...reply });
  });
  stops.push(
    () => analyzer.close(),
    () => socket.terminate(),
  );
  return { analyzer, asked: () => asked };
}

const at = (ns: bigint, takenNs = 0n): Claim => ({ receivedNs: ns, repliedNs: ns + takenNs });
const refusedBy = ({ stream }: TestAnalyzer): number => stream.status().refused['clock'] ?? 0;
const estimateOf = ({ stream }: TestAnalyzer) => stream.status().streams[0]?.clock;

describe('a clock reply', () => {
  it.each<[string, (trueNs: bigint, times: number, asked: Clock) => Claim]>([
    ['that sets the epoch days before the stream was known', (ns) => at(ns + 10n * DAY_NS)],
    ['that takes longer to answer than the answer took to come', (ns) => at(ns, 3n * DAY_NS)],
    ['that takes a second longer, so that nothing seems uncertain', (ns) => at(ns, 1_000_000_000n)],
    ['that is answered before it was asked', (ns) => ({ receivedNs: ns + 10n ** 9n, repliedNs: ns })],
    ['from before its epoch', () => at(-5n)],
    ['of the largest number', () => at(2n ** 63n - 1n)],
    [
      'that says it was asked at another time',
      (ns, _, { sentNs }) => ({
        ...at(ns),
        sentNs: BigInt(sentNs) - DAY_NS,
      }),
    ],
  ])('%s gives no figure and is counted', async (_, claim) => {
    const { analyzer, asked } = await peer(claim);
    await waitFor(() => refusedBy(analyzer) === 1, { what: 'the refusal' });
    expect(asked()).toBe(1);
    expect(estimateOf(analyzer)).toBeUndefined();
    // The states are taken as before: what is wrong is the clock alone.
    expect(analyzer.stream.status().connections).toBe(1);
  });

  it('that is true gives an offset within its bound', async () => {
    const { analyzer } = await peer((ns) => at(ns));
    await waitFor(() => estimateOf(analyzer) !== undefined, { what: 'the estimate' });
    expect(refusedBy(analyzer)).toBe(0);
  });

  it('of days is true where the stream has been recorded for days', async () => {
    const { analyzer } = await peer((ns) => at(ns + 10n * DAY_NS), { measuredDaysAgo: 12 });
    await waitFor(() => estimateOf(analyzer) !== undefined, { what: 'the estimate' });
    expect(refusedBy(analyzer)).toBe(0);
  });

  it('that jumps by hours on one connection is refused, and the figure stays', async () => {
    const { analyzer } = await peer((ns, times) => at(times < EXCHANGES ? ns : ns + DAY_NS / 8n));
    await waitFor(() => estimateOf(analyzer) !== undefined, { what: 'the estimate' });
    const first = estimateOf(analyzer);
    await waitFor(() => refusedBy(analyzer) === 1, { what: 'the refusal of the jump' });
    expect(estimateOf(analyzer)).toEqual(first);
  });
});
