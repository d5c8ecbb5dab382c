/**
 * The intrinsic score of each agent in each episode: how much likelier its own model finds its replies behind what the
 * partner really said than behind what the partner of another dialogue of the same scenario said.
 * Formula: Σ (ln p(u | real words) − ln p(u | other words)) / Σ tokens(u), over its replies u, in nats per token.
 * Range: 0 where the partner's words make no difference, as in a monologue; negative where the others fit better.
 * Reference: the pointwise mutual information of reply and context (Li, Galley, Brockett, Gao, Dolan, 2016).
 * No number: no reply, no second dialogue of the scenario, condition and models, or a script read in the partner's
 * place.
 */
import { createEngine } from '../../model/dialogue/engine.ts';
import type { ModelInfo } from '../../model/types.ts';
import { openModel, type OpenModel } from '../../model/worker/open-model.ts';
import { systemClock } from '../../process/clock.ts';
import type { RunTalk, TalkEpisode } from '../../process/run-folder/read-talk.ts';
import { EntrainError } from '../../protocol/errors.ts';
import type { Outcome } from '../../protocol/outcomes.ts';
import { heardIn } from '../../protocol/scenarios/hears-turn.ts';
import { systemPrompt } from '../../protocol/scenarios/system-prompt.ts';
import { mapAtOnce } from '../map-at-once.ts';
import { gainPerToken } from './gain-per-token.ts';
import { pairWithOthers, withPartnerWords } from './partner-words.ts';

export interface IntrinsicReport {
  lines: Outcome[];
  /** Agents whose model's folder was not given. */
  agentsLeft: string[];
  /** Episodes whose scenario has no second one in the same condition, with the same models. */
  alone: number;
}

const NAME = 'nats per token';
/** System prompts of a scenario's roles, which its episodes share. */
const PREFIX_BYTES = 2 ** 26;
const OPENED = {
  provider: 'cpu',
  threads: 1,
  cacheFolder: '.cache/models',
  prefixBytes: PREFIX_BYTES,
} as const;
/** Keys and values of all dialogues that are read at once. */
const CACHE_BYTES = 2 ** 30;
/** Of a dialogue: with real and with other words, each with a copy in the block of the pass. */
const COPIES = 4;

interface Job {
  folders: readonly string[];
  say(text: string): void;
}

/** @throws EntrainError `USAGE` for a model that none of the run's agents has */
export async function scoreIntrinsic(
  talk: RunTalk,
  finished: readonly TalkEpisode[],
  { folders, say }: Job,
): Promise<IntrinsicReport> {
  const { agents } = talk.facts;
  const heard = finished.filter(({ condition }) => heardIn(condition) !== undefined);
  const others = pairWithOthers(heard, ({ scenario, condition, order }) =>
    [scenario, condition, ...order.map((agent) => agents[agent]?.sha256 ?? agent)].join('\n'),
  );
  const scored = new Set<string>();
  const lines: Outcome[] = [];
  for (const folder of folders) {
    const model = await openModel({ folder, ...OPENED });
    try {
      const own = Object.keys(agents).filter((agent) => agents[agent]?.sha256 === model.info.sha256);
      if (own.length === 0) throw strangerAt(folder);
      for (const agent of own) scored.add(agent);
      const sides = [...others].flatMap(([episode, other]) =>
        episode.order.flatMap((agent, role) =>
          own.includes(agent) ? [{ episode, other, agent, role }] : [],
        ),
      );
      let done = 0;
      const scoredSides = await mapAtOnce(sides, sidesAtOnce(model.info), async (side) => {
        const line = await scoreSide(model, talk, side);
        say(`${model.info.name}: dialogue ${(done += 1)} of ${sides.length}`);
        return line;
      });
      lines.push(...scoredSides.flat());
    } finally {
      await model.release();
    }
  }
  const speakers = new Set(heard.flatMap(({ order }) => order));
  const agentsLeft = [...speakers].filter((agent) => !scored.has(agent));
  return { lines, agentsLeft, alone: heard.length - others.size };
}

/** As many as fill a pass that dialogues share, and fit into memory with a whole context each. */
function sidesAtOnce({ rowsPerPass, cacheTokenBytes, contextTokens }: ModelInfo): number {
  const fitting = Math.floor(CACHE_BYTES / (COPIES * cacheTokenBytes * contextTokens));
  return Math.max(1, Math.min(rowsPerPass, fitting));
}

const strangerAt = (folder: string): EntrainError =>
  new EntrainError(
    'USAGE',
    `--model ${folder} is of none of the run's agents: expected the folders of their models, unchanged.`,
  );

interface Side {
  episode: TalkEpisode;
  other: TalkEpisode;
  agent: string;
  /** From 0. */
  role: number;
}

async function scoreSide(
  model: OpenModel,
  { facts }: Pick<RunTalk, 'facts'>,
  { episode, other, agent, role }: Side,
): Promise<Outcome[]> {
  const { id, scenario: scenarioId, condition } = episode;
  const scenario = facts.study.scenarios.find((one) => one.id === scenarioId);
  const [person, hears] = [scenario?.people[role], heardIn(condition)];
  if (!scenario || !person || hears === undefined) return [];
  const options = {
    id,
    system: systemPrompt({ scenario, person }),
    sampling: facts.study.sampling,
    steps: null,
    atMs: facts.startedAtMs,
  };
  const engine = createEngine(model, options);
  const turns = withPartnerWords(episode, other, { role, hears });
  const value = await gainPerToken(engine, turns).finally(() => engine.cache.close());
  if (value === undefined) return [];
  const about = { type: 'outcome', run: facts.run, source: 'intrinsic', name: NAME } as const;
  return [{ ...about, episode: id, agent, value, atMs: systemClock.nowMs() }];
}
