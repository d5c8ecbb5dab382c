/**
 * Checks before a study begins that every prompt fits into the context of its model. The agents are asked, since they
 * have the tokenizers.
 */
import { parseMessage, promptTokensSchema, type AskedPrompt } from '../protocol/nats-messages.ts';
import { EntrainError } from '../protocol/errors.ts';
import type { Study } from '../protocol/study.ts';
import { subjects } from '../protocol/subjects.ts';
import type { Logger } from '../process/log.ts';
import type { NatsLink } from '../transport/nats/connection.ts';
import { request } from '../transport/nats/services.ts';
import { couplingOf } from './conditions.ts';
import { ABSENT, type Fleet } from './fleet.ts';
import { planEpisodes, agentsOfEpisode } from './plan.ts';

const ASK_TIMEOUT_MS = 10_000;
/** Prompts per request; with the longest texts that a study may hold, a request stays below the NATS limit. */
const PROMPTS_EACH = 20;

/** @throws EntrainError `CONTEXT_OVERFLOW`, with the prompt that is too long */
export async function checkPrompts(
  link: NatsLink,
  { study, fleet, log }: { study: Study; fleet: Fleet; log: Logger },
): Promise<void> {
  const asked = [...promptsOf(study)].filter(([agent]) => {
    const known = fleet.agents.get(agent);
    return known !== undefined && known.instance !== ABSENT;
  });
  const faults = await Promise.all(
    asked.map(([agent, prompts]) => firstFault(link, { agent, prompts, study, log })),
  );
  // The first in the study's order, not the first to answer: the same study then always names the same prompt.
  const fault = faults.find((found) => found !== undefined);
  if (fault !== undefined) throw new EntrainError('CONTEXT_OVERFLOW', fault);
}

async function firstFault(link: NatsLink, asked: Asked): Promise<string | undefined> {
  for (let at = 0; at < asked.prompts.length; at += PROMPTS_EACH) {
    const prompts = asked.prompts.slice(at, at + PROMPTS_EACH);
    const fault = await askAgent(link, { ...asked, prompts });
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** The prompts of each agent at the beginning of an episode, without repetitions. */
export function promptsOf(study: Study): Map<string, AskedPrompt[]> {
  const prompts = new Map<string, Map<string, AskedPrompt>>();
  for (const episode of planEpisodes(study)) {
    for (const [index, agent] of agentsOfEpisode(episode).entries()) {
      const { scenario, person, hears } = couplingOf(study, episode, index);
      const script = typeof hears === 'object' && 'script' in hears ? longest(hears.script) : '';
      const own = prompts.get(agent) ?? new Map<string, AskedPrompt>();
      const prompt = { scenario, person, script };
      prompts.set(agent, own.set(JSON.stringify(prompt), prompt));
    }
  }
  return new Map([...prompts].map(([agent, own]) => [agent, [...own.values()]]));
}

const longest = (texts: readonly string[]): string =>
  texts.reduce((most, text) => (text.length > most.length ? text : most), '');

interface Asked {
  agent: string;
  prompts: AskedPrompt[];
  study: Study;
  log: Logger;
}

/** @returns which prompt does not fit, as a sentence */
async function askAgent(link: NatsLink, { agent, prompts, study, log }: Asked): Promise<string | undefined> {
  let answer: string;
  try {
    answer = await request(link.connection, subjects.promptTokens(agent), {
      body: { prompts },
      timeoutMs: ASK_TIMEOUT_MS,
    });
  } catch (error) {
    // An agent of an earlier version does not answer; a prompt that does not fit is then found when it speaks.
    log.warn({ err: error, agent }, 'prompts were not measured');
    return undefined;
  }
  const what = `The lengths of prompts of agent "${agent}"`;
  const found = parseMessage(promptTokensSchema, answer, { code: 'MESSAGE_INVALID', what });
  return tooLong({ agent, prompts, study }, found);
}

/** Besides the prompt, the context must hold the longest utterance that is heard last, and the reply. */
export function tooLong(
  { agent, prompts, study }: Pick<Asked, 'agent' | 'prompts' | 'study'>,
  { model, contextTokens, tokens }: { model: string; contextTokens: number; tokens: number[] },
): string | undefined {
  const room = 2 * study.maxTokens;
  const at = tokens.findIndex((count) => count + room > contextTokens);
  if (at < 0) return undefined;
  return `The prompt of agent "${agent}" in scenario "${prompts[at]?.scenario.id}" takes ${tokens[at]} tokens, and an utterance heard and one spoken up to ${study.maxTokens} each, but the context of its model ${model} has ${contextTokens}: shorten the scenario or its people, lower maxTokens, or take a model with a longer context.`;
}
