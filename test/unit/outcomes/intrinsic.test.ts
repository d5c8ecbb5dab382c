/** The intrinsic score: how much likelier replies are behind what the partner really said, by the agents' logits. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readTexts } from '../../../src/analysis/static-cka.ts';
import { run } from '../../../src/outcomes/main.ts';
import { readOutcomes } from '../../../src/process/run-folder/outcomes-file.ts';
import { openModel } from '../../../src/model/worker/open-model.ts';
import { studySchema, type Condition } from '../../../src/protocol/study.ts';
import type { Hears } from '../../../src/protocol/nats-messages.ts';
import { hearsTurn, heardIn } from '../../../src/protocol/scenarios/hears-turn.ts';
import { slowReplyNats, type Told } from '../../fixtures/model/slow-gain.ts';
import { openReplyNats, type Said } from '../../fixtures/model/reply-nats.ts';
import { makeTalkFolder } from '../../fixtures/recordings/talk-folder.ts';

const MODEL = 'models/entrain-dialogue-850k';
const SCENARIO = {
  id: 's',
  text: 'Two people talk about a trip.',
  people: [
    { persona: 'I like to travel.', secret: 'I am afraid of dogs.' },
    { persona: 'I work at a school.', goal: 'Say hello.' },
  ],
};
/** When the runs of `makeTalkFolder` started. */
const STARTED_AT_MS = 1_700_000_000_000;
const SYSTEMS = [
  'Scenario: Two people talk about a trip.\nYou: I like to travel.\nSecret: I am afraid of dogs.',
  'Scenario: Two people talk about a trip.\nYou: I work at a school.\nGoal: Say hello.',
] as const;
/** Each reply takes up a word of its partner; the two dialogues speak of different things. */
const HORSES = [
  'I love horses.',
  'Horses? I have three horses.',
  'Three horses! What do horses eat?',
  'Horses eat grass.',
];
const MUSIC = [
  'I love music.',
  'Music? I play music every day.',
  'Every day! What music do you play?',
  'I play rock music.',
];

let sha256: string;
beforeAll(async () => {
  ({ sha256 } = await readTexts(MODEL, ['Hi.']));
});
const folders: string[] = [];
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

interface Talk {
  condition?: Condition;
  texts: string[];
}

async function folderOf(talks: Talk[]): Promise<string> {
  const episodes = talks.map(({ condition = 'live', texts }, at) => ({
    id: `e${at}`,
    scenario: 's',
    texts,
    condition,
  }));
  const folder = await makeTalkFolder({ scenarios: [SCENARIO], episodes });
  folders.push(folder);
  const facts = JSON.parse(await readFile(join(folder, 'run.json'), 'utf8')) as {
    agents: Record<string, object>;
  };
  for (const agent of Object.values(facts.agents)) Object.assign(agent, { sha256 });
  await writeFile(join(folder, 'run.json'), JSON.stringify(facts));
  return folder;
}

/** `entrain evaluate` with the model: what it said, and the values by episode and agent. */
async function scored(talks: Talk[]): Promise<{ said: string; values: Record<string, number> }> {
  const folder = await folderOf(talks);
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  expect(await run([folder, '--model', MODEL])).toBe(0);
  const said = write.mock.calls.map(([part]) => String(part)).join('');
  const lines = (await readOutcomes(folder)).filter((line) => line.type === 'outcome');
  expect(lines.every(({ source, name }) => source === 'intrinsic' && name === 'nats per token')).toBe(true);
  return {
    said,
    values: Object.fromEntries(lines.map(({ episode, agent, value }) => [`${episode} ${agent}`, value])),
  };
}

/** The same by a pass over each whole prompt, written without anything of the program. */
async function gainByWholePrompts(own: string[], other: string[], role: 0 | 1): Promise<number> {
  const natsOf = await openReplyNats(MODEL);
  let [nats, tokens] = [0, 0];
  for (let turn = role === 0 ? 2 : 1; turn < own.length; turn += 2) {
    const behind = (words: string[]): Said[] =>
      words
        .slice(0, turn)
        .map((text, at) =>
          at % 2 === role ? { who: 'assistant', text: own[at] as string } : { who: 'user', text },
        );
    const real = await natsOf(SYSTEMS[role], behind(own), own[turn] as string);
    nats += real.nats - (await natsOf(SYSTEMS[role], behind(other), own[turn] as string)).nats;
    tokens += real.tokens;
  }
  return nats / tokens;
}

/** Texts of another length each; the second and the third begin alike. */
const MANY = Array.from({ length: 6 }, (_, at) =>
  (at % 2 === 0 ? HORSES : MUSIC).map((text, turn) =>
    turn === 0 && at % 4 > 1 ? text : `${'Well, '.repeat((at + turn) % 3)}${text} ${at > 3 ? 'Really.' : ''}`,
  ),
);

/** The values of `scored` by the slow twin; the talks of a condition stand for one another, each for the one before. */
async function slowGains(talks: Talk[]): Promise<Record<string, number>> {
  const model = await openModel({ folder: MODEL, provider: 'cpu', threads: 1, cacheFolder: '.cache/models' });
  const { sampling } = studySchema.parse({ name: 'x', pairs: [['ada', 'ben']], scenarios: [SCENARIO] });
  const found: Record<string, number> = {};
  for (const [at, { texts, condition = 'live' }] of talks.entries()) {
    const alike = talks.filter((talk) => (talk.condition ?? 'live') === condition);
    const other = alike[(alike.indexOf(talks[at] as Talk) + 1) % alike.length]?.texts as string[];
    const hears = heardIn(condition) as Hears;
    for (const [role, agent] of (['ada', 'ben'] as const).entries()) {
      const options = {
        id: 'slow',
        system: SYSTEMS[role] as string,
        sampling,
        steps: null,
        atMs: STARTED_AT_MS,
      };
      const behind = (words: string[], turn: number): Told[] =>
        words.slice(0, turn).map((text, place) => {
          if (place % 2 === role) return { who: 'self', text: texts[place] as string };
          return hearsTurn({ hears, seed: 7 + at }, place)
            ? { who: 'peer', text }
            : { who: 'unheard', text: '' };
        });
      let [nats, tokens] = [0, 0];
      for (let turn = role === 0 ? 2 : 1; turn < texts.length; turn += 2) {
        const natsBehind = (words: string[]): Promise<{ nats: number; tokens: number }> =>
          slowReplyNats(model, { options, history: behind(words, turn) }, texts[turn] as string);
        const real = await natsBehind(texts);
        nats += real.nats - (await natsBehind(other)).nats;
        tokens += real.tokens;
      }
      found[`e${at} ${agent}`] = nats / tokens;
    }
  }
  await model.release();
  return found;
}

describe('the intrinsic score', () => {
  it('is that of a pass over each whole prompt, and above 0 where replies take up what was said', async () => {
    const { values, said } = await scored([{ texts: HORSES }, { texts: MUSIC }]);
    expect(said).toContain('models 4 values of 2 episodes');
    for (const [episode, [own, other]] of [
      [HORSES, MUSIC],
      [MUSIC, HORSES],
    ].entries())
      for (const [role, agent] of (['ada', 'ben'] as const).entries()) {
        const value = values[`e${episode} ${agent}`] as number;
        expect(value).toBeCloseTo(
          await gainByWholePrompts(own as string[], other as string[], role as 0 | 1),
          3,
        );
        expect(value).toBeGreaterThan(0.1);
      }
  });

  it('is to the last digit that of replies each in a dialogue of its own, however many are read at once', async () => {
    const talks = MANY.map((texts, at): Talk => ({ texts, condition: at % 2 === 0 ? 'live' : 'dose:0.5' }));
    const { values } = await scored(talks);
    expect(Object.keys(values)).toHaveLength(2 * talks.length);
    expect(values).toEqual(await slowGains(talks));
  }, 240_000);

  it('is 0 in a monologue, and below 0 of replies to another dialogue', async () => {
    const alone = await scored([HORSES, MUSIC].map((texts) => ({ condition: 'monologue', texts })));
    expect(Object.values(alone.values)).toEqual([0, 0, 0, 0]);
    const crossed = [HORSES, MUSIC].map((own, at) =>
      own.map((text, turn) => (turn % 2 === 0 ? text : ((at === 0 ? MUSIC : HORSES)[turn] as string))),
    );
    const { values } = await scored(crossed.map((texts) => ({ texts })));
    expect(values['e0 ben']).toBeLessThan(-0.1);
    expect(values['e1 ben']).toBeLessThan(-0.1);
  });

  it('counts no first turn, no dialogue without another of its kind, and no script', async () => {
    const { values, said } = await scored([
      { texts: HORSES.slice(0, 2) },
      { texts: MUSIC.slice(0, 2) },
      { condition: 'random', texts: HORSES },
      { condition: 'random', texts: MUSIC },
      { condition: 'dose:0.5', texts: HORSES },
    ]);
    expect(Object.keys(values)).toEqual(['e0 ben', 'e1 ben']);
    expect(said).toContain('none of 1 episodes without a second one of their scenario, condition and models');
  });

  it('refuses a model that no agent has', async () => {
    const folder = await folderOf([{ texts: HORSES }]);
    await expect(run([folder, '--model', 'models/entrain-dialogue-300k'])).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(
        /--model models\/entrain-dialogue-300k is of none of the run's agents/,
      ) as string,
    });
  });
});
