/**
 * Two agents whose models tokenise differently: each tokenises what it hears while the other speaks, and also what it
 * said itself, which it did not sample as its tokenizer would have cut it.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemPrompt } from '../../src/protocol/scenarios/system-prompt.ts';
import type { StepRecord } from '../../src/analyzer/steps/step-record.ts';
import { replayRun } from '../../src/recordings/replay-run.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { readRecording } from '../../src/journal/read-recording.ts';
import { openDialogue } from '../../src/model/dialogue/dialogue.ts';
import { openModel } from '../../src/model/worker/open-model.ts';
import type { Utterance } from '../../src/protocol/nats-messages.ts';
import { ANALYZER_SERVICE } from '../../src/protocol/subjects.ts';
import { unpackTensor } from '../../src/protocol/stream/tensor.ts';
import { findServices } from '../../src/transport/nats/services.ts';
import { until } from '../fixtures/programs/demo.ts';
import { createFleet, readTranscript, type Fleet } from '../fixtures/programs/fleet.ts';
import { DIALOGUE, writeChatModel } from '../fixtures/onnx/chat-model.ts';
import { temporaryFolder } from '../fixtures/onnx/write-folder.ts';

const RUN = 'tokenizers';
const TURNS = 16;
const AGENTS = ['ada', 'ben'] as const;
const SCENARIO = { id: 'market', text: 'Two people meet on the market.' };
const STEPS = { layers: [3], every: 1 };

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'entrain-tokenizers-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

it(
  'two agents with different tokenizers talk for 16 turns, and each has the states of every word that it heard',
  { timeout: 240_000 },
  async () => {
    const study = join(folder, 'study.json');
    const size = { maxTurns: TURNS, minTurns: TURNS, maxTokens: 40, steps: STEPS };
    const scenarios = [{ ...SCENARIO, people: [{}, {}] }];
    await writeFile(study, JSON.stringify({ name: 'small', pairs: [AGENTS], scenarios, ...size }));
    const models = {
      ada: await writeChatModel({ tokens: 'bytes', template: 'chatml' }),
      ben: await writeChatModel({ tokens: 'metaspace', template: 'instruct' }),
    };
    const fleet = await createFleet({ folder, study, run: RUN, agents: [...AGENTS], models });
    try {
      for (const program of ['analyzer', 'agent-ada', 'agent-ben', 'coordinator'] as const)
        await fleet.start(program);
      expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(0);
      const { faults, utterances } = await verifyRun(join(fleet.runs, RUN));
      expect({ faults, utterances }).toEqual({ faults: [], utterances: { total: TURNS, incomplete: [] } });
      for (const agent of AGENTS) expect(fleet.said(`agent-${agent}`)).not.toMatch(/"level":[56]0/);
      const spoken = await readTranscript(fleet.runs, RUN);
      const heard = await recordedSteps(fleet.runs);
      expect(spoken.map(({ turn }) => [turn, coveredTo(heard.get(turn))])).toEqual(
        spoken.map(({ turn, text }) => [turn, Buffer.byteLength(text)]),
      );
      // Otherwise nothing was tokenised differently from how it was spoken.
      expect(spoken.filter(({ turn, tokens }) => heard.get(turn)?.length !== tokens)).not.toEqual([]);
      for (const agent of AGENTS) {
        const alone = await readAlone(models[agent], agent, spoken);
        expect(alone.size).toBe(TURNS / 2);
        for (const [turn, steps] of alone)
          expect(distance(heard.get(turn), steps), `${agent} hears turn ${turn}`).toBeLessThan(
            HALF_PRECISION,
          );
      }
      await expectStepScores(fleet);
    } finally {
      await fleet.close();
    }
  },
);

/** Steps of both are measured where their tokens end at the same byte, live, and a replay gives the same. */
async function expectStepScores(fleet: Fleet): Promise<void> {
  // Lines are added to scores.jsonl until then, which comes after the end of the coordinator.
  await until('the final scores', () => fleet.said('analyzer').includes('the scores of the run are final'));
  const link = await fleet.nats.connect('coordinator');
  const analyzer = await until('the analyzer', async () => (await findServices(link, ANALYZER_SERVICE))[0]);
  const metrics = await until('step scores of both directions on /metrics', async () => {
    const text = await (await fetch(analyzer.metadata['metricsUrl'] ?? '')).text();
    const shown =
      text.match(
        /^entrain_synchrony_null_ratio\{.*measure="cka",mode="steps",null="surrogate",level="q95"\} /gm,
      ) ?? [];
    return shown.length === 2 ? text : undefined;
  });
  expect(metrics).toMatch(/entrain_synchrony_best_lag_steps\{.*measure="xcorr",mode="steps"\} -?\d+\n/);
  const folder = join(fleet.runs, RUN);
  const lines = (await readFile(join(folder, 'scores.jsonl'), 'utf8')).trimEnd().split('\n');
  const records = lines.map((line) => JSON.parse(line) as StepRecord).filter(({ type }) => type === 'steps');
  for (const { figures, steps } of records) {
    expect(steps).toBeGreaterThanOrEqual(32);
    expect(figures['cka']?.value).toBeGreaterThan(0);
  }
  const replay = await replayRun(folder, { lastOnly: false });
  expect(replay).toMatchObject({ scores: lines.length, equal: true, differences: [] });
}

interface Step {
  bytes: [start: number, end: number];
  /** [dims] */
  state: Float32Array;
}

type Steps = Map<number, Step[]>;

/** A value in half precision is off by at most 2⁻¹¹ of itself. */
const HALF_PRECISION = 1e-3;

/** What was heard, by turn. */
async function recordedSteps(runs: string): Promise<Steps> {
  const steps: Steps = new Map();
  for await (const { message } of readRecording(join(runs, RUN))) {
    if (message.type === 'episode') expect(new Set(message.models.map(({ sha256 }) => sha256)).size).toBe(2);
    if (message.type !== 'steps' || message.role !== 'listen') continue;
    put(steps, { ...message, data: unpackTensor(message.dtype, message.data) });
  }
  return steps;
}

/** The same words, given as a whole, through a model that has never sampled any. */
async function readAlone(model: string, agent: string, spoken: readonly Utterance[]): Promise<Steps> {
  const cacheFolder = await temporaryFolder();
  const parts = await openModel({ folder: model, provider: 'cpu', threads: 1, cacheFolder });
  const system = systemPrompt({ scenario: SCENARIO, person: { persona: '', goal: '', secret: '' } });
  const dialogue = openDialogue(parts, { ...DIALOGUE, system, steps: STEPS });
  const steps: Steps = new Map();
  for (const { turn, text, agent: speaker } of spoken) {
    if (speaker === agent) await dialogue.recall(text);
    else await dialogue.heard(text, (states) => put(steps, { turn, ...states }));
  }
  await parts.release();
  return steps;
}

interface Batch {
  turn: number;
  step0: number;
  bytes: Step['bytes'][];
  /** [steps, dims] of one layer. */
  data: Float32Array;
}

/** A batch replaces earlier ones from its first step on. */
function put(steps: Steps, { turn, step0, bytes, data }: Batch): void {
  const dims = data.length / bytes.length;
  const added = bytes.map((range, i) => ({ bytes: range, state: data.subarray(i * dims, (i + 1) * dims) }));
  steps.set(turn, [...(steps.get(turn) ?? []).slice(0, step0), ...added]);
}

/** Number of bytes of an utterance that steps cover without a gap or an overlap. */
function coveredTo(steps: readonly Step[] = []): number {
  return steps.reduce((reached, { bytes: [start, end] }) => (start === reached ? end : reached), 0);
}

/** The largest distance between two states of a step, as a share of the state's length. */
function distance(these: readonly Step[] = [], those: readonly Step[]): number {
  if (these.length !== those.length) return Infinity;
  const apart = those.map(({ state }, step) => {
    const difference = state.map((value, i) => value - (these[step]?.state[i] ?? NaN));
    return Math.hypot(...difference) / Math.hypot(...state);
  });
  return Math.max(...apart);
}
