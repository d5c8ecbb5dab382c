/**
 * A run whose turns are read behind another history as well, with real programs, one of them killed in the middle:
 * recorded, verified, measured and replayed.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { systemPrompt } from '../../src/protocol/scenarios/system-prompt.ts';
import type { StepRecord } from '../../src/analyzer/steps/step-record.ts';
import { readRecording } from '../../src/journal/read-recording.ts';
import { run as measure } from '../../src/measure/main.ts';
import { openDialogue } from '../../src/model/dialogue/dialogue.ts';
import { openModel } from '../../src/model/worker/open-model.ts';
import { packTensor } from '../../src/protocol/stream/tensor.ts';
import { replayRun } from '../../src/recordings/replay-run.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { until } from '../fixtures/programs/demo.ts';
import { createFleet, readTranscript } from '../fixtures/programs/fleet.ts';
import { DIALOGUE, writeChatModel } from '../fixtures/onnx/chat-model.ts';
import { temporaryFolder } from '../fixtures/onnx/write-folder.ts';

const RUN = 'controls';
// The crash may take two turns of either direction; what is left has the 32 steps that a figure needs.
const TURNS = 12;
const SCENARIO = { id: 'market', text: 'Two people meet on the market.' };
const STEPS = { layers: [3], every: 1, control: true };

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'entrain-controls-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

it(
  'each listener reads every turn behind the first episode as well, and a replay gives the same figures',
  { timeout: 240_000 },
  async () => {
    const study = join(folder, 'study.json');
    const size = { episodes: 3, maxTurns: TURNS, minTurns: TURNS, maxTokens: 24, steps: STEPS };
    const scenarios = [{ ...SCENARIO, people: [{}, {}] }];
    await writeFile(study, JSON.stringify({ name: 'small', pairs: [['ada', 'ben']], scenarios, ...size }));
    const model = await writeChatModel({ tokens: 'bytes', template: 'chatml' });
    const models = { ada: model, ben: model };
    const fleet = await createFleet({ folder, study, run: RUN, agents: ['ada', 'ben'], models });
    const place = join(fleet.runs, RUN);
    try {
      for (const program of ['analyzer', 'agent-ada', 'agent-ben', 'coordinator'] as const)
        await fleet.start(program);
      await until('a turn of the second episode', async () =>
        (await readTranscript(fleet.runs, RUN).catch(() => [])).find(
          ({ episode, turn }) => episode === 'e0002' && turn >= 2,
        ),
      );
      await fleet.kill('agent-ben');
      await fleet.start('agent-ben');
      expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(0);
      // The coordinator does not wait for the figures of the last turns, which come once the run is quiet.
      await until('the final scores', async () =>
        fleet.said('analyzer').includes('the scores of the run are final'),
      );
      await fleet.close();
      const { lacking, controls, complete } = await verifyRun(place);
      expect({ lacking, complete }).toEqual({ lacking: [], complete: true });
      // Each turn is heard once in each of two episodes; the crash may have taken one or two of either.
      expect(controls?.read).toBeGreaterThanOrEqual(2 * TURNS - 4);
      expect(controls?.faults).toEqual([]);
      await expectStatesOf(model, place);
      await expectFigures(place);
    } finally {
      await fleet.close();
    }
  },
);

/** The control of the last turn that ada heard is what the model gives behind the first episode. */
async function expectStatesOf(model: string, place: string): Promise<void> {
  const talk = await readTranscript(join(place, '..'), RUN);
  const textOf = (episode: string, turn: number): string =>
    talk.find((one) => one.episode === episode && one.turn === turn)?.text ?? '';
  const parts = await openModel({
    folder: model,
    provider: 'cpu',
    threads: 1,
    cacheFolder: await temporaryFolder(),
  });
  const person = { persona: '', goal: '', secret: '' };
  const system = systemPrompt({ scenario: SCENARIO, person });
  const dialogue = openDialogue(parts, { ...DIALOGUE, system, steps: STEPS });
  const turn = TURNS - 1;
  for (let before = 0; before < turn; before += 1) {
    const text = textOf('e0001', before);
    await (before % 2 === 0 ? dialogue.recall(text) : dialogue.heard(text, () => undefined));
  }
  const alone: number[] = [];
  await dialogue.heard(textOf('e0003', turn), ({ data }) => alone.push(...packTensor(data, 'f16').data));
  await parts.release();
  const recorded: number[] = [];
  for await (const { stream, message } of readRecording(place))
    if (message.type === 'steps' && message.role === 'control' && stream === 'ada')
      if (message.episode === 'e0003' && message.turn === turn) recorded.push(...message.data);
  expect(recorded.length).toBeGreaterThan(0);
  expect(Buffer.from(recorded).equals(Buffer.from(alone))).toBe(true);
}

async function expectFigures(place: string): Promise<void> {
  const lines = (await readFile(join(place, 'scores.jsonl'), 'utf8')).trimEnd().split('\n');
  const records = lines.map((line) => JSON.parse(line) as StepRecord).filter(({ type }) => type === 'steps');
  const last = records.findLast(({ figures }) => figures['cka']?.sameWords !== undefined);
  expect(last?.scenario).toBe('market');
  expect(Object.values(last?.controlRows ?? {})[0]).toHaveLength(4);
  for (const { episode, figures } of records)
    if (episode === 'e0001') expect(figures['cka']?.sameWords).toBeUndefined();
  expect(JSON.stringify(records)).not.toContain('pValue');
  const replay = await replayRun(place, { lastOnly: false });
  expect(replay).toMatchObject({ scores: lines.length, equal: true, differences: [] });
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  await measure(['cka', '--run', place, '--permutations', '19', '--json']);
  vi.restoreAllMocks();
  const { groups } = JSON.parse(written.join('')) as { groups: Measured[] };
  const own = groups.flatMap((group) => group.per_dyad).find(({ episode }) => episode === last?.episode);
  expect(groups.every(({ excess, p_value }) => typeof excess === 'number' && p_value === null)).toBe(true);
  expect(own?.same_words?.control).toBeGreaterThan(0);
  expect(JSON.stringify(groups)).not.toMatch(/"p_value":[0-9]/);
}

interface Measured {
  excess?: number;
  p_value?: number | null;
  per_dyad: { episode: string; same_words?: { control: number } }[];
}
