/** Outcomes by the rules of the scenarios, from what was said. */
import { systemClock } from '../process/clock.ts';
import { mergeOutcomes, readOutcomes, writeOutcomes } from '../process/run-folder/outcomes-file.ts';
import { readTalk, type RunTalk, type TalkEpisode } from '../process/run-folder/read-talk.ts';
import type { OutcomeLine } from '../protocol/outcomes.ts';
import { scoreByRule } from './score-by-rule.ts';

/** Writes them to the `outcomes.jsonl` of a run, beside what is there from other sources. */
export async function evaluateByRules(folder: string): Promise<void> {
  const talk = await readTalk(folder);
  const finished = talk.episodes.filter(({ finish }) => finish !== undefined);
  const lines = mergeOutcomes(await readOutcomes(folder), linesOfRules(talk, finished));
  if (lines.length > 0) await writeOutcomes(folder, lines);
}

/** Of episodes of two agents whose scenario has a rule. */
export function linesOfRules({ facts }: RunTalk, finished: readonly TalkEpisode[]): OutcomeLine[] {
  const rules = new Map(facts.study.scenarios.map(({ id, rule }) => [id, rule]));
  const about = { type: 'outcome', run: facts.run, source: 'rule', atMs: systemClock.nowMs() } as const;
  return finished.flatMap(({ id: episode, scenario, order, turns }) => {
    const rule = rules.get(scenario);
    if (!rule || order.length !== 2) return [];
    const texts = turns.map(({ text }) => text);
    return scoreByRule(rule, texts).flatMap((scores, at) =>
      Object.entries(scores).map(([name, value]) => ({
        ...about,
        episode,
        agent: order[at] as string,
        name,
        value,
      })),
    );
  });
}
