/**
 * A run as its stream holds it, and a coordinator that reads it from the beginning, as it does when it restarts: from a
 * real nats-server, and with what it does itself alone.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRunStream } from '../../src/coordinator/invite.ts';
import { createCoordinatorMetrics } from '../../src/coordinator/metrics.ts';
import { recallNeeded } from '../../src/coordinator/restore-run.ts';
import { openRunFolder } from '../../src/coordinator/run-folder.ts';
import { reduceMessage, runStudy } from '../../src/coordinator/run-study.ts';
import { initialState } from '../../src/coordinator/state/run-state.ts';
import { createLog } from '../../src/process/log.ts';
import { systemClock as clock } from '../../src/process/clock.ts';
import { subjects } from '../../src/protocol/subjects.ts';
import type { NatsLink } from '../../src/transport/nats/connection.ts';
import { createKeys } from '../../src/transport/stream/auth/access-token.ts';
import { startNats } from '../../test/fixtures/programs/nats-fixture.ts';
import { begun, planRun, RUN, type Message } from './planned-run.ts';

const USERS = ['coordinator', 'agent-ada', 'agent-ben'];
const log = createLog('bench').child({}, { level: 'silent' });
const metricsIn = (folder: string) =>
  createCoordinatorMetrics({ version: '', folder, natsUp: () => true }).ofRun(RUN);

/** Every message of a finished run, by who publishes it. */
function storedRun(episodes: number) {
  const { study, plan, steps } = planRun(episodes);
  const first = { user: 'coordinator', messages: [begun(study, episodes)] as Message[] };
  const ended: Message = { type: 'run-finished', run: RUN, episodes, turns: 4 * episodes, atMs: 0 };
  const all = [first, ...steps(0, plan.length), { user: 'coordinator', messages: [ended] }];
  return { study, plan, all };
}

async function inFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-bench-coordinator-'));
  try {
    return await act(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a restart costs the coordinator itself: two readings, the second with its metrics and the run folder. */
export const restartAlone = (episodes: number): Promise<{ messages: number; seconds: number }> =>
  inFolder(async (folder) => {
    const { study, plan, all } = storedRun(episodes);
    const texts = all.flatMap(({ messages }) =>
      messages.map((message) => ({ subject: subjectOf(message), text: JSON.stringify(message) })),
    );
    const since = performance.now();
    const unread = (): void => undefined;
    let state = initialState(plan, study.maxTurns);
    for (const [at, message] of texts.entries()) {
      const to = { log, folder: { event: unread, utterance: unread, alternative: unread } };
      state = reduceMessage(state, { ...message, seq: at + 1 }, to);
    }
    const runFolder = await openRunFolder(folder, { run: RUN, branches: false });
    const metrics = metricsIn(folder);
    state = initialState(plan, study.maxTurns);
    for (const [at, message] of texts.entries()) {
      state = reduceMessage(state, { ...message, seq: at + 1 }, { log, folder: runFolder });
      metrics.observe(state);
    }
    await runFolder.close();
    return { messages: texts.length, seconds: (performance.now() - since) / 1000 };
  });

/** @returns seconds until a coordinator that starts has read all of a stream of nats-server twice, as it does */
export const restart = (episodes: number): Promise<number> =>
  inFolder(async (folder) => {
    const nats = await startNats(USERS, { runs: [RUN] });
    try {
      const { study, all } = storedRun(episodes);
      const links = await Promise.all(USERS.map(async (user) => [user, await nats.connect(user)] as const));
      const link = new Map(links).get('coordinator') as NatsLink;
      await openRunStream(link, RUN);
      for (const { user, messages } of all) {
        const connection = new Map(links).get(user)?.connection;
        for (const message of messages) connection?.publish(subjectOf(message), JSON.stringify(message));
        await connection?.flush();
      }
      const since = performance.now();
      const consumer = 'coordinator';
      await recallNeeded(link, { run: RUN, study, consumer, log });
      const runFolder = await openRunFolder(folder, { run: RUN, branches: false });
      const running = await runStudy({
        run: RUN,
        study,
        link,
        consumer,
        log,
        clock,
        startedAtMs: 0,
        folder: runFolder,
        fleet: { agents: new Map(), analyzer: { id: 'mia', streamUrl: '' } },
        privateKey: createKeys().privateKeyPem,
        invited: new Set(),
        unplayable: new Set(),
        metrics: metricsIn(folder),
      });
      await running.done;
      await runFolder.close();
      const seconds = (performance.now() - since) / 1000;
      await running.stop();
      return seconds;
    } finally {
      await nats.close();
    }
  });

function subjectOf(message: Message): string {
  if (!('type' in message)) return subjects.utterance(RUN, message);
  return 'episode' in message
    ? subjects.episodeEvent(RUN, message.episode, `${message.type}.${message.episode}`)
    : subjects.event(RUN, message.type);
}
