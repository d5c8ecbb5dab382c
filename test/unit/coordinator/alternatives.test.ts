/**
 * What a coordinator does with alternatives: which of them are written and when, and which an agent is told to
 * answer.
 */
import { mkdtemp, readFile, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRunFolder } from '../../../src/coordinator/run-folder.ts';
import { planEpisodes } from '../../../src/coordinator/plan.ts';
import { owedReplies } from '../../../src/coordinator/carry-out-command.ts';
import { episodesOf } from '../../../src/coordinator/state/decide.ts';
import { initialState, type RunState } from '../../../src/coordinator/state/run-state.ts';
import { reduceMessage } from '../../../src/coordinator/run-study.ts';
import type { Alternative, RunEvent, Utterance } from '../../../src/protocol/nats-messages.ts';
import { studySchema } from '../../../src/protocol/study.ts';
import { subjects } from '../../../src/protocol/subjects.ts';
import { silentLog } from '../../fixtures/stream/stream-fixture.ts';

const branches = { share: 1, alternatives: 2 };
const person = { persona: '', goal: '', secret: '' };
const study = studySchema.parse({
  name: 't',
  pairs: [['ada', 'ben']],
  scenarios: [{ id: 'x', text: 'x', people: [person, person] }],
  maxTurns: 4,
  branches,
});
const plan = planEpisodes(study);
const episode = plan[0]?.id ?? '';
const begun: RunEvent[] = [
  { type: 'run-started', run: 'r', study, episodes: 1, atMs: 0 },
  {
    type: 'episode-started',
    episode,
    scenario: 'x',
    condition: 'live',
    order: ['ada', 'ben'],
    seed: 1,
    branches,
    atMs: 0,
  },
];
const takenOver: RunEvent = {
  type: 'episode-taken-over',
  episode,
  role: 0,
  lost: 'ada',
  agent: 'cas',
  instance: 'i',
  turn: 0,
  atMs: 0,
};
const might = (turn: number, agent: string, k: number): Alternative => {
  const text = `${agent} ${turn} or ${k}`;
  return { episode, turn, k, agent, text, finish: 'stop', tokens: 1 };
};
const says = (turn: number, agent: string): Utterance => {
  const place = { stream: agent, epoch: 1, lastSeq: turn };
  return {
    episode,
    turn,
    agent,
    text: `${agent} ${turn}`,
    finish: 'stop',
    tokens: 1,
    droppedTurns: 0,
    ...place,
  };
};

interface Read {
  state: RunState;
  /** Lines of `branches.jsonl`. */
  lines: Record<string, unknown>[];
  files: string[];
}

async function read(messages: (RunEvent | Utterance | Alternative)[], withBranches = true): Promise<Read> {
  const runs = await mkdtemp(join(tmpdir(), 'entrain-'));
  const folder = await openRunFolder(runs, { run: 'r', branches: withBranches });
  let state = initialState(plan, study.maxTurns);
  for (const [at, message] of messages.entries()) {
    const subject =
      'type' in message
        ? subjects.event('r', String(at))
        : 'k' in message
          ? subjects.alternative('r', message)
          : subjects.utterance('r', message);
    state = reduceMessage(
      state,
      { subject, text: JSON.stringify(message), seq: at + 1 },
      { folder, log: silentLog },
    );
  }
  await folder.keep();
  await folder.close();
  const text = await readFile(join(folder.path, 'branches.jsonl'), 'utf8').catch(() => '');
  const lines = text.split('\n').filter(Boolean);
  return {
    state,
    lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    files: await readdir(folder.path),
  };
}

describe('the alternatives of a turn', () => {
  it('are written when the turn was spoken, by number, with their place in the stream', async () => {
    const before = [...begun, might(0, 'ada', 1), might(0, 'ada', 2)];
    expect((await read(before)).lines).toEqual([]);
    const { lines } = await read([...before, says(0, 'ada')]);
    expect(lines).toEqual([
      { run: 'r', ...might(0, 'ada', 1), seq: 3 },
      { run: 'r', ...might(0, 'ada', 2), seq: 4 },
    ]);
    expect(Object.keys(lines[0] ?? {}).slice(0, 6)).toEqual(['run', 'episode', 'turn', 'k', 'agent', 'text']);
  });

  it('are those of the agent that spoke the turn in the end', async () => {
    const taken = [...begun, might(0, 'ada', 1), takenOver, might(0, 'ada', 2)];
    const { lines } = await read([...taken, might(0, 'cas', 1), might(0, 'cas', 2), says(0, 'cas')]);
    expect(lines.map(({ text }) => text)).toEqual(['cas 0 or 1', 'cas 0 or 2']);
  });

  it('need a study with branches: without, there is no file', async () => {
    expect((await read([...begun, says(0, 'ada')])).files).toContain('branches.jsonl');
    expect((await read([...begun, says(0, 'ada')], false)).files).not.toContain('branches.jsonl');
  });

  it('must be answered by those who hear them: the ones after the last turn of its role, by a reader all of them', async () => {
    const turn = (at: number, agent: string) => [might(at, agent, 1), might(at, agent, 2), says(at, agent)];
    const { state } = await read([...begun, ...turn(0, 'ada'), ...turn(1, 'ben'), ...turn(2, 'ada')]);
    const now = episodesOf(state, 'ada')[0]?.now;
    const owed = (role: number): string[] =>
      now ? owedReplies(now, { role, speakers: 2 }).map(({ turn: at, k }) => `${at} ${k}`) : [];
    expect(owed(0)).toEqual([]);
    expect(owed(1)).toEqual(['2 1', '2 2']);
    expect(owed(2)).toEqual(['0 1', '0 2', '1 1', '1 2', '2 1', '2 2']);
  });
});
