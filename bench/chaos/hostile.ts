/**
 * Two hundred clients at once that mean harm, some of them with a token that is valid for a stream of its own, while honest
 * agents stream: they must lose nothing, and the analyzer's memory must stay where it was.
 */
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { compareLedgers, faultsOf } from './compare.ts';
import { inPlace, kill, pause, RUN, startAnalyzer, startSender, type Place } from './programs.ts';
import type { Outcome, ScenarioOptions } from './scenarios.ts';

const NAME = 'hostile clients';
const AT_ONCE = 200;
const HELD_MS = 4000;
const MOST_GROWTH_MB = 128;
const LIMIT_BYTES = 16 * 2 ** 20;
const HONEST = ['agent-0', 'agent-1', 'agent-2', 'agent-3'];

type Attack = (line: Socket, place: Place, random: () => number) => Promise<void>;

/** `times` waves. */
export const hostileClients = ({ times, random }: ScenarioOptions): Promise<Outcome> =>
  inPlace(async (place) => {
    const analyzer = await startAnalyzer(place);
    const tokens = Object.fromEntries(HONEST.map((stream) => [stream, place.token(stream)]));
    const order = {
      url: place.url,
      run: RUN,
      tokens,
      folder: place.folder,
      valuesPerFrame: 512,
      everyMs: 10,
    };
    const sender = await startSender(place, order);
    const pid = analyzer.pid as number;
    await pause(3000);
    const before = await rssMb(pid);
    let peak = before;
    const watching = setInterval(() => void rssMb(pid).then((now) => (peak = Math.max(peak, now))), 50);
    for (let wave = 0; wave < times; wave++) await attack(place, random);
    clearInterval(watching);
    const report = await sender.stop();
    const lived = analyzer.exitCode === null && analyzer.signalCode === null;
    await kill(analyzer, 'SIGTERM');
    const found = await compareLedgers(place);
    const failures = faultsOf(NAME, found);
    if (!lived) failures.push(`${NAME}: the analyzer ended`);
    if (!report.drained) failures.push(`${NAME}: the honest agents were not drained`);
    if (peak - before > MOST_GROWTH_MB)
      failures.push(`${NAME}: the analyzer grew by ${(peak - before).toFixed(0)} MB`);
    const figures = `${times} × ${AT_ONCE} at once, analyzer +${(peak - before).toFixed(0)} MB at most; honest agents: ${found.accepted} frames accepted`;
    return { name: NAME, figures, lost: found.lost, doubled: found.doubled, failures };
  });

async function attack(place: Place, random: () => number): Promise<void> {
  const lines = Array.from({ length: AT_ONCE }, (_, i) => {
    const line = connect(place.port, '127.0.0.1');
    // whatever comes back, also a reset, is what they asked for
    line.on('error', () => undefined).resume();
    const act = ATTACKS[i % ATTACKS.length] as Attack;
    return { line, done: act(line, place, random).catch(() => undefined) };
  });
  await pause(HELD_MS);
  for (const { line } of lines) line.destroy();
  await Promise.all(lines.map(({ done }) => done));
}

const ATTACKS: Attack[] = [
  // a message over the limit is announced
  async (line, place) => {
    await enter(line, place);
    line.write(frameHead(0x82, LIMIT_BYTES + 1));
    await pour(line, LIMIT_BYTES / 4);
  },
  // a message just within the limit, whose last byte never comes
  async (line, place) => {
    await enter(line, place);
    line.write(frameHead(0x82, LIMIT_BYTES));
    await pour(line, LIMIT_BYTES - 1);
  },
  // fragments without end, most of them empty
  async (line, place, random) => {
    await enter(line, place);
    line.write(frameHead(0x02, 0));
    for (let i = 0; i < 20_000 && !line.destroyed; i++) {
      const length = random() < 0.1 ? 1000 : 0;
      await write(line, Buffer.concat([frameHead(0x00, length), Buffer.alloc(length)]));
    }
  },
  // text that is not UTF-8, as a message and inside one
  async (line, place, random) => {
    await enter(line, place);
    const text = random() < 0.5;
    const bad = text ? Buffer.of(0xc3, 0x28) : Buffer.from('81a474797065a2c328', 'hex');
    line.write(Buffer.concat([frameHead(text ? 0x81 : 0x82, bad.length), bad]));
  },
  // a handshake of one byte at a time
  async (line, place) => {
    for (const byte of Buffer.from(handshake(place.token('mallory')))) {
      if (line.destroyed) return;
      await write(line, Buffer.of(byte));
      await pause(50);
    }
  },
  // noise after the handshake, and noise instead of it
  async (line, place, random) => {
    if (random() < 0.5) await enter(line, place);
    for (let i = 0; i < 50 && !line.destroyed; i++)
      await write(line, Buffer.from(Array.from({ length: 1000 }, () => random() * 256)));
  },
  // a token that nobody signed, and none
  async (line, _, random) => write(line, Buffer.from(handshake(random() < 0.5 ? 'x.y' : ''))),
  // a header without end
  async (line) => {
    await write(line, Buffer.from('GET /stream HTTP/1.1\r\nhost: x\r\n'));
    for (let i = 0; i < 200 && !line.destroyed; i++)
      await write(line, Buffer.from(`x-${i}: ${'y'.repeat(1000)}\r\n`));
  },
];

function handshake(token: string): string {
  const head = ['GET /stream HTTP/1.1', 'host: 127.0.0.1', 'upgrade: websocket', 'connection: Upgrade'];
  const key = ['sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==', 'sec-websocket-version: 13'];
  return [...head, ...key, `authorization: Bearer ${token}`, '', ''].join('\r\n');
}

/** Past the door with a valid token. */
async function enter(line: Socket, place: Place): Promise<void> {
  const answered = new Promise((resolve) => line.once('data', resolve).once('close', resolve));
  await write(line, Buffer.from(handshake(place.token('mallory'))));
  await answered;
}

/** The head of a WebSocket frame, masked with zeros. */
function frameHead(first: number, length: number): Buffer {
  const head = Buffer.alloc(14);
  head[0] = first;
  head[1] = 0xff;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

async function pour(line: Socket, bytes: number): Promise<void> {
  const part = Buffer.alloc(64 * 1024);
  for (let left = bytes; left > 0 && !line.destroyed; left -= part.length)
    await write(line, part.subarray(0, Math.min(left, part.length)));
}

/** Settles when there is room again or the line is gone. */
async function write(line: Socket, bytes: Buffer): Promise<void> {
  if (line.destroyed || line.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      line.off('drain', settle).off('close', settle);
      resolve();
    };
    line.on('drain', settle).on('close', settle);
  });
}

async function rssMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
