/**
 * Alerts of deploy/alerts.yml by their real faults: programs are killed, frozen and filled up, and watched in a time
 * that the test drives, so that a slow machine changes nothing. Left alone, nothing fires. Those of an analyzer alone
 * stand in alerts-of-analyzer.test.ts.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, type Fleet } from '../fixtures/programs/fleet.ts';
import { freePort } from '../fixtures/programs/free-port.ts';
import {
  createScriptedPrometheus,
  discoverBy,
  type ScriptedPrometheus,
} from '../fixtures/programs/scripted-prometheus.ts';
import { serviceUser, type ServiceUser } from '../fixtures/programs/service-user.ts';

const AGENTS = ['ada', 'ben'] as const;
const COORDINATORS = ['coordinator', 'standby'] as const;
const PROGRAMS = [...COORDINATORS, 'analyzer', 'agent-ada', 'agent-ben'] as const;
type Program = (typeof PROGRAMS)[number];
const MODEL = 'models/entrain-dialogue-300k';
/** In a run that goes well a minute holds a turn, and what was sent before it is recorded. */
const WELL = {
  entrain_run_last_turn_timestamp_seconds: 1,
  entrain_agent_ack_lag_seconds: 1,
};

let folder: string;
let study: string;
let fleet: Fleet;
let operator: ServiceUser;
let prometheus: ScriptedPrometheus;
const ports = new Map<Program, number>();
/** Ports of programs that are stopped. */
const frozen = new Set<number>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-alerts-'));
  study = await writeSmallStudy(folder, {
    scenarios: 1,
    episodes: 50,
    maxTurns: 200,
    maxTokens: 6,
    steps: { layers: [0, 1, 2, 3] },
    conditions: ['live', 'monologue'],
  });
  const models = Object.fromEntries(AGENTS.map((agent) => [agent, MODEL]));
  fleet = await createFleet({
    folder,
    study,
    run: '',
    agents: [...AGENTS],
    models,
    resident: { users: ['operator'] },
    coordinatorFlags: ['--any-size'],
    agentFlags: ['--spool-mb', '1', '--at-once', '1'],
  });
  operator = serviceUser(fleet.nats, 'operator');
  for (const program of PROGRAMS) {
    ports.set(program, await freePort());
    await start(program);
  }
  const discovery = COORDINATORS.map((program) => `http://127.0.0.1:${ports.get(program)}/api/targets`);
  const isFrozen = (instance: string): boolean => frozen.has(Number(instance.split(':')[1]));
  prometheus = createScriptedPrometheus({ folder, discover: discoverBy(discovery), isFrozen });
}, 300_000);

afterAll(async () => {
  await fleet.close();
  await rm(folder, { recursive: true, force: true });
});

const start = (program: Program, ...flags: string[]): Promise<void> =>
  fleet.start(program, [
    '--port',
    String(ports.get(program)),
    // They take as much of the processor as all programs together.
    ...(program === 'analyzer' ? ['--step-measures', ''] : []),
    ...flags,
  ]);

function freeze(program: Program, isFrozen: boolean): void {
  const port = ports.get(program) ?? 0;
  if (isFrozen) frozen.add(port);
  else frozen.delete(port);
  fleet.signal(program, isFrozen ? 'SIGSTOP' : 'SIGCONT');
}

async function kill(program: Program): Promise<void> {
  frozen.delete(ports.get(program) ?? 0);
  await fleet.kill(program);
}

describe('alerts, by real faults in a time that the test drives', () => {
  it('are silent while nothing runs', async () => {
    // The minutes after that go by in no time: a leader must be there already.
    await until('five programs, one of which leads', async () => {
      const found = await prometheus.look();
      const ones = (name: string): number =>
        found.filter(([key, value]) => key.startsWith(`${name}{`) && value === 1).length;
      return ones('up') === PROGRAMS.length && ones('entrain_service_leader') === 1;
    });
    await prometheus.pass(5);
    await prometheus.expectSilence(0);
  }, 180_000);

  it('fire when a run fails, and not after it was given up', async () => {
    const scenario = {
      id: 'x',
      // more tokens than its model has room for
      text: '7 3 9 1 '.repeat(490),
      people: [{}, {}].map(() => ({ persona: 'A', goal: 'B', secret: 'C' })),
    };
    const bad = join(folder, 'bad.json');
    await writeFile(
      bad,
      JSON.stringify({ name: 'bad', pairs: [AGENTS], scenarios: [scenario], episodes: 1, maxTokens: 4 }),
    );
    expect(await operator.entrain('submit', bad, '--name', 'bad')).toMatchObject({ status: 0 });
    await prometheus.untilFired('EntrainRunsFailed');
    expect(await operator.entrain('stop', 'bad')).toMatchObject({ status: 0 });
    await prometheus.untilSilent({});
  }, 300_000);

  it('are silent while a run goes well', async () => {
    expect(await operator.entrain('submit', study, '--name', 'watched')).toMatchObject({ status: 0 });
    await prometheus.untilSilent(WELL);
    const from = prometheus.now();
    await prometheus.pass(12, WELL);
    await prometheus.expectSilence(from);
  }, 300_000);

  it('fire when the analyzer is frozen, and when it is killed; its budget is said by the next one', async () => {
    freeze('analyzer', true);
    await prometheus.untilFired('EntrainTargetDown', 'EntrainAckLag');
    // Both wait between turns with a spool that is nearly full.
    await prometheus.untilFired('EntrainSpoolFilling', 'EntrainNoTurn');
    await kill('analyzer');
    await prometheus.untilFired('EntrainStreamDown');
    await start('analyzer', '--budget-gb', '0.001');
    await prometheus.untilFired('EntrainRecordingRoom');
    await kill('analyzer');
    await start('analyzer');
    await prometheus.untilSilent(WELL);
  }, 600_000);

  it('fire when an agent is frozen', async () => {
    freeze('agent-ada', true);
    await prometheus.untilFired('EntrainTargetDown', 'EntrainNoTurn');
    freeze('agent-ada', false);
    await prometheus.untilSilent(WELL);
  }, 300_000);

  it('fire when NATS is killed, and when all coordinators are', async () => {
    await fleet.nats.kill();
    await prometheus.untilFired('EntrainNatsDown');
    await fleet.nats.restart();
    await prometheus.untilSilent(WELL);
    for (const program of COORDINATORS) await kill(program);
    await prometheus.untilFired('EntrainNoLeader', 'EntrainCoordinatorGone');
    for (const program of COORDINATORS) await start(program);
    await prometheus.untilSilent(WELL);
  }, 600_000);
});
