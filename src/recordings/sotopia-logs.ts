/**
 * `entrain export RUN --format sotopia`: finished dialogues of two as episode logs of SOTOPIA (Zhou et al., ICLR 2024),
 * one a line, as its `EpisodeLog` reads them. Rewards are a judge's dimensions, with their mean; 0 if nobody judged.
 * The field `entrain` says where the states of each turn are in the recording; a reader that does not know it passes
 * it over.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readOutcomes } from '../process/run-folder/outcomes-file.ts';
import { readTalk, type RunTalk, type TalkEpisode } from '../process/run-folder/read-talk.ts';
import type { Outcome } from '../protocol/outcomes.ts';
import type { Person } from '../protocol/study.ts';

type Message = [sender: string, receiver: string, text: string];
type Reward = [overall: number, dimensions: Record<string, number>] | number;

const ENVIRONMENT = 'Environment';

/**
 * @returns the file, and the number of logs in it
 * @throws EntrainError `RUN_INVALID`
 */
export async function exportSotopia(folder: string, out: string): Promise<{ file: string; logs: number }> {
  const talk = await readTalk(folder);
  const outcomes = await readOutcomes(folder);
  const judged = outcomes
    .filter((line) => line.type === 'outcome')
    .filter(({ source }) => source === 'judge');
  const logs = talk.episodes
    .filter(({ order, finish }) => order.length === 2 && finish !== undefined)
    .map((episode) => logOf(talk, episode, judged));
  await mkdir(out, { recursive: true });
  const file = join(out, 'sotopia-episodes.jsonl');
  // They hold what was said, as transcript.jsonl does.
  await writeFile(file, logs.map((log) => `${JSON.stringify(log)}\n`).join(''), { mode: 0o600 });
  return { file, logs: logs.length };
}

function logOf({ facts }: RunTalk, episode: TalkEpisode, judged: readonly Outcome[]): object {
  const { id, scenario, condition, order, seed, turns } = episode;
  const rewards = order.map((agent) =>
    rewardOf(judged.filter((one) => one.episode === id && one.agent === agent)),
  );
  const judges = new Set(judged.flatMap(({ judge }) => (judge ? [judge.model] : [])));
  return {
    environment: scenario,
    agents: order,
    tag: `${facts.run} ${condition}`,
    models: [[...judges].join(', '), ...order.map((agent) => facts.agents[agent]?.name ?? '')],
    messages: messagesOf(facts.study.scenarios, episode),
    reasoning: '',
    rewards,
    rewards_prompt: '',
    entrain: {
      run: facts.run,
      episode: id,
      condition,
      seed,
      states: turns.map(({ turn, agent, stream, epoch, lastSeq }) => ({
        turn,
        agent,
        stream,
        epoch,
        lastSeq,
      })),
    },
  };
}

/** In the first turn each is told what it knows; in every other one speaks and the other does nothing. */
function messagesOf(
  scenarios: RunTalk['facts']['study']['scenarios'],
  { scenario, order, turns }: TalkEpisode,
): Message[][] {
  const { text = '', people = [] } = scenarios.find(({ id }) => id === scenario) ?? {};
  const told = order.map((agent, at): Message => [ENVIRONMENT, agent, toldText(text, people[at])]);
  const spoken = turns
    .filter(({ finish }) => finish !== 'absent')
    .map(({ turn, text: said, finish }) =>
      order.map((agent, at): Message => {
        const isSpeaker = at === turn % order.length;
        const does = said === '' && finish === 'leave' ? 'left the conversation' : `said: "${said}"`;
        return [agent, ENVIRONMENT, isSpeaker ? does : 'did nothing'];
      }),
    );
  return [told, ...spoken];
}

const toldText = (text: string, person: Person | undefined): string =>
  [text, person?.persona, person && `Goal: ${person.goal}`, person && `Secret: ${person.secret}`]
    .filter((part) => part !== undefined && part !== '' && part !== 'Goal: ' && part !== 'Secret: ')
    .join('\n');

/** Of several judges the last one counts. */
function rewardOf(values: readonly Outcome[]): Reward {
  const dimensions = Object.fromEntries(values.map(({ name, value }) => [name, value]));
  const all = Object.values(dimensions);
  if (all.length === 0) return 0;
  const overall = all.reduce((sum, value) => sum + value, 0) / all.length;
  return [overall, { ...dimensions, overall_score: overall }];
}
