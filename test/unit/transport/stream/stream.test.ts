import { afterEach, describe, expect, it } from 'vitest';
import {
  ledgerLine,
  recordedLines,
  startAgent,
  startAnalyzer,
  stepsFrame,
  temporaryFolder,
  waitFor,
} from '../../../fixtures/stream/stream-fixture.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function rig() {
  const folder = await temporaryFolder();
  const analyzer = await startAnalyzer({ folder });
  stops.push(() => analyzer.close());
  return { folder, analyzer };
}

describe('the activation stream', () => {
  it('records every frame once and hands it on in order', async () => {
    const { folder, analyzer } = await rig();
    const agent = await startAgent({ url: analyzer.url, folder: await temporaryFolder(), stream: 'ada' });
    stops.push(() => agent.close());
    const ledger = Array.from({ length: 500 }, (_, turn) => {
      const frame = stepsFrame(turn);
      return ledgerLine('ada', agent.sender.epoch, {
        ...frame,
        seq: agent.sender.append(frame),
      });
    });
    expect(await agent.sender.drained(10_000)).toBe(true);
    expect(agent.sender.epoch).toBe(1);
    expect(analyzer.recorded.map(({ message }) => message.seq)).toEqual(ledger.map((_, seq) => seq));
    expect(await recordedLines(folder)).toEqual(ledger);
    expect(analyzer.stream.status().streams[0]).toMatchObject({
      durableFrames: 500,
      duplicateFrames: 0,
      gapFrames: {},
    });
  });

  it('says why the analyzer refuses a frame, which stays in the spool', async () => {
    const { analyzer } = await rig();
    const agent = await startAgent({ url: analyzer.url, folder: await temporaryFolder(), stream: 'ada' });
    stops.push(() => agent.close());
    agent.sender.append(stepsFrame(0));
    expect(await agent.sender.drained(10_000)).toBe(true);
    expect(agent.sender.status().refusal).toBeUndefined();
    agent.sender.append(stepsFrame(20_000));
    await waitFor(() => agent.sender.status().refusal !== undefined, { what: 'a refusal' });
    expect(agent.sender.status().refusal).toMatch(/"turn" of a steps message is out of bounds/);
    expect(await agent.sender.drained(0)).toBe(false);
  });

  it('continues after the last durable frame when the analyzer comes back', async () => {
    const { folder, analyzer } = await rig();
    const agent = await startAgent({ url: analyzer.url, folder: await temporaryFolder(), stream: 'ada' });
    stops.push(() => agent.close());
    for (let turn = 0; turn < 50; turn++) agent.sender.append(stepsFrame(turn));
    await agent.sender.drained(5000);
    await analyzer.close();
    stops.splice(0, 1);
    for (let turn = 50; turn < 100; turn++) agent.sender.append(stepsFrame(turn));
    const again = await startAnalyzer({ folder, port: analyzer.port });
    stops.unshift(() => again.close());
    expect(await agent.sender.drained(15_000)).toBe(true);
    expect((await recordedLines(folder)).length).toBe(100);
  });

  it('drains the epoch of a dead agent before the new one', async () => {
    const { folder, analyzer } = await rig();
    const spoolFolder = await temporaryFolder();
    await analyzer.close();
    stops.splice(0, 1);
    const first = await startAgent({ url: analyzer.url, folder: spoolFolder, stream: 'ada', greetingMs: 50 });
    for (let turn = 0; turn < 10; turn++) first.sender.append(stepsFrame(turn));
    await first.close();
    const again = await startAnalyzer({ folder, port: analyzer.port });
    stops.push(() => again.close());
    const second = await startAgent({ url: analyzer.url, folder: spoolFolder, stream: 'ada' });
    stops.push(() => second.close());
    second.sender.append(stepsFrame(99));
    expect(await second.sender.drained(10_000)).toBe(true);
    expect(second.sender.epoch).toBe(first.sender.epoch + 1);
    expect(again.recorded.map(({ epoch }) => epoch - first.sender.epoch)).toEqual([
      ...Array<number>(10).fill(0),
      1,
    ]);
    expect(second.spool.epochs()).toHaveLength(1);
  });

  it('measures the offset of the agent’s clock', async () => {
    const { analyzer } = await rig();
    const agent = await startAgent({ url: analyzer.url, folder: await temporaryFolder(), stream: 'ada' });
    stops.push(() => agent.close());
    await waitFor(() => analyzer.stream.status().streams[0]?.clock !== undefined, {
      what: 'a clock estimate',
    });
    const estimate = analyzer.stream.status().streams[0]?.clock;
    const trueOffsetNs = -Number(agent.sender.epochStartNs);
    expect(Math.abs((estimate?.offsetNs ?? 0) - trueOffsetNs)).toBeLessThanOrEqual(estimate?.boundNs ?? 0);
  });
});
