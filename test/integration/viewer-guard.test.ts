/** Whom the viewer lets read, what its page may load, and what it does for a browser that does not read. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer, connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { subjects } from '../../src/protocol/subjects.ts';
import { until } from '../fixtures/programs/demo.ts';
import { startNats } from '../fixtures/programs/nats-fixture.ts';
import { look } from '../fixtures/viewer/browser.ts';
import { appendLines, scoreLine, utteranceLine, writeRunFolder } from '../fixtures/viewer/run-folder.ts';
import { showRuns } from '../fixtures/viewer/shown-runs.ts';
import { startViewer, stopViewer } from '../fixtures/viewer/viewer-program.ts';

const TOKEN = 'a-token-of-the-viewer-alone';
const PATHS = [
  '/',
  '/api/runs',
  '/api/run?run=done',
  '/api/words?run=done&episode=e0001',
  '/api/feed?run=done',
];

const viewed = showRuns(async (runs) => {
  const done = await writeRunFolder(runs, { run: 'done' });
  await appendLines(
    done,
    'scores.jsonl',
    [60, 80, 100, 120].flatMap((samples) =>
      ['live', 'monologue'].map((condition) =>
        scoreLine({ condition, samples, excess: condition === 'live' ? 0.25 : 0 }),
      ),
    ),
  );
  await writeRunFolder(runs, { run: 'open', isFinished: false, openFrom: 1 });
});

/** Status of a GET, with headers that fetch would not let through. */
function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers }, (answer) => {
      resolve(answer.statusCode ?? 0);
      answer.destroy();
    });
    asked.once('error', reject);
    asked.end();
  });
}

describe('reading', () => {
  it('takes the token where there is one, and this machine under its own names where there is none', async () => {
    const file = join(viewed.runs, 'viewer.token');
    await writeFile(file, TOKEN, { mode: 0o600 });
    const guarded = await startViewer(viewed.runs, ['--port', '0', '--http-token-file', file]);
    try {
      const other = { authorization: 'Bearer a-token-of-the-figures' };
      const password = { authorization: `Basic ${Buffer.from(`anna:${TOKEN}`).toString('base64')}` };
      for (const path of PATHS) {
        expect([path, await statusOf(guarded.url + path)]).toEqual([path, 401]);
        expect([path, await statusOf(guarded.url + path, other)]).toEqual([path, 401]);
        expect([path, await statusOf(guarded.url + path, password)]).toEqual([path, 200]);
        expect([path, await statusOf(viewed.viewer.url + path)]).toEqual([path, 200]);
        expect([path, await statusOf(viewed.viewer.url + path, { host: 'evil.example' })]).toEqual([
          path,
          403,
        ]);
      }
    } finally {
      await stopViewer(guarded);
    }
  });

  it('is given to no other origin, and the page may load and ask nothing but its own server', async () => {
    for (const path of PATHS.slice(0, 4)) {
      const { headers } = await fetch(viewed.viewer.url + path, {
        headers: { origin: 'http://evil.example' },
      });
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
    const policy = (await fetch(viewed.viewer.url)).headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; /);
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    const outside = createServer().listen(0, '127.0.0.1');
    await once(outside, 'listening');
    let asked = 0;
    outside.on('connection', (socket) => {
      asked += 1;
      socket.destroy();
    });
    const { page, complaints } = await viewed.look('/?run=done');
    await page.locator('.bubble').first().waitFor();
    const { port } = outside.address() as AddressInfo;
    await page.evaluate(`(async () => {
      await fetch('http://127.0.0.1:${port}/').catch(() => undefined);
      const own = document.createElement('script');
      own.textContent = 'window.ran = true';
      document.head.append(own);
      const image = new Image();
      image.src = 'http://127.0.0.1:${port}/';
    })()`);
    await expect
      .poll(() => complaints.filter((text) => text.includes('Content Security Policy')).length)
      .toBeGreaterThanOrEqual(3);
    expect(await page.evaluate('window.ran')).toBeUndefined();
    expect(asked).toBe(0);
    await page.close();
    outside.close();
  });
});

describe('a browser that does not read', () => {
  it('loses previews, which are counted, and no utterance; another one is not held up', async () => {
    const nats = await startNats(['coordinator', 'viewer'], { runs: ['open'] });
    const env = { NATS_URL: nats.url, NATS_USER: 'viewer', NATS_PASSWORD: 'viewer-secret' };
    const live = await startViewer(viewed.runs, ['--port', '0', '--live'], env);
    const { connection } = await nats.connect('coordinator');
    try {
      const { port, host } = new URL(live.url);
      const slow = connect(Number(port), '127.0.0.1');
      await once(slow, 'connect');
      slow.write(`GET /api/feed?run=open HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      slow.pause();
      const { page, complaints } = await look(viewed.browser, `${live.url}/?run=open#e0002`);
      await page.locator('.bubble').nth(3).waitFor();
      const text = 'word '.repeat(20_000);
      const shed = await until('previews are shed', async () => {
        const token = {
          episode: 'e0002',
          turn: 4,
          agent: 'ada',
          step: 0,
          text,
          byte0: 0,
          byte1: text.length,
        };
        for (let at = 0; at < 20; at += 1)
          connection.publish(
            subjects.token('open', 'e0001', 'ada'),
            JSON.stringify({ ...token, episode: 'e0001' }),
          );
        await connection.flush();
        const metrics = await (await fetch(`${live.url}/metrics`)).text();
        const counted = Number(/^entrain_viewer_shed_total (\d+)$/m.exec(metrics)?.[1]);
        return counted > 0 ? counted : undefined;
      });
      expect(shed).toBeGreaterThan(0);
      await appendLines(join(viewed.runs, 'open'), 'transcript.jsonl', [
        utteranceLine({ episode: 'e0002', turn: 4, text: 'heard all the same' }),
      ]);
      await page.locator('.bubble > p', { hasText: 'heard all the same' }).waitFor();
      expect(complaints).toEqual([]);
      let read = '';
      slow.on('data', (part: Buffer) => (read = (read + part.toString()).slice(-4096)));
      slow.resume();
      await until(
        'the utterance reaches the slow one too',
        () => read.includes('heard all the same') || undefined,
      );
      slow.destroy();
      await page.close();
    } finally {
      await stopViewer(live);
      await nats.close();
    }
  }, 120_000);
});

describe('what a page shows', () => {
  it('is red where a program of an open run does not answer, and says what to do', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    const target = (program: string): object => ({
      targets: [`127.0.0.1:${port}`],
      labels: { program, __entrain_run: 'held' },
    });
    const held = await writeRunFolder(viewed.runs, { run: 'held', isFinished: false, openFrom: 1 });
    // A run is under way while somebody touches its claim.
    const touch = (): Promise<void> => writeFile(join(held, 'running.1'), '');
    await touch();
    const touching = setInterval(() => void touch(), 1000);
    await writeFile(join(viewed.runs, 'targets.json'), JSON.stringify([target('agent'), target('analyzer')]));
    const { page } = await viewed.look('/?run=held');
    await page.locator('.health.ill').waitFor();
    const alerts = await page.getByRole('alert').allInnerTexts();
    expect(alerts).toContain(
      `agents: no answer from 127.0.0.1:${port}: see its log in the run folder’s logs`,
    );
    const [plain, red] = (await page.evaluate(
      `[document.querySelector('.health .wait, .health .well'), document.querySelector('.health .fault')].map((one) => one && getComputedStyle(one).color)`,
    )) as [string, string];
    expect(red).not.toBe(plain);
    clearInterval(touching);
    await page.close();
  });

  it('is scrubbed to a turn, and back to the whole', async () => {
    const { page } = await viewed.look('/?run=done#e0001');
    await page.locator('.bubble').nth(3).waitFor();
    const slider = page.getByRole('slider', { name: 'Turn' });
    await slider.focus();
    await page.keyboard.press('Home');
    await expect.poll(() => page.locator('.bubble').count()).toBe(1);
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => page.locator('.bubble').count()).toBe(2);
    await page.keyboard.press('End');
    await expect.poll(() => page.locator('.bubble').count()).toBe(4);
    await page.close();
  });

  it('draws the interval of monologue as a band around 0, beside that of live', async () => {
    const { page } = await viewed.look('/?run=done');
    await page.locator('.course canvas').waitFor();
    await page.getByText('Grey: the interval of monologue').waitFor();
    // One column of pixels: how many have the colour of each wash. Grid and curve cross them.
    const [grey, green] = (await page.evaluate(`(() => {
      const canvas = document.querySelector('.course canvas');
      const { data } = canvas.getContext('2d').getImageData(Math.round(canvas.width * 0.71), 0, 1, canvas.height);
      const count = (colour) => Array.from({ length: canvas.height }, (_, y) => data.slice(4 * y, 4 * y + 4)).filter(
        (pixel) => pixel[3] > 20 && pixel[3] < 90 && colour.every((value, at) => Math.abs(value - pixel[at]) < 10),
      ).length;
      return [count([86, 94, 107]), count([11, 114, 101])];
    })()`)) as [number, number];
    // Both intervals are 0.1 high.
    expect(green).toBeGreaterThan(10);
    expect(Math.abs(grey - green)).toBeLessThan(0.25 * green);
    await page.close();
  });
});
