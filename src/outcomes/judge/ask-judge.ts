/**
 * Asks a judge about one episode. An answer that does not follow the schema, a temporary status and a timeout are
 * retried; a fault that every request would have ends the evaluation.
 *
 *   cache ─▶ budget ─▶ POST /chat/completions ─▶ schema ─▶ cache
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseJsonText } from '../../process/json-text.ts';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { chatCompletionSchema, judgeAnswerSchema, type JudgeAnswer } from '../../protocol/outcomes.ts';
import { postJson, type Posted } from '../../transport/http/post-json.ts';
import type { AnswerCache } from './answer-cache.ts';
import { judgeMessages, type JudgedTalk } from './prompt.ts';
import { leastTokens, mostTokens, type TokenBudget } from './token-budget.ts';

export interface JudgeSettings {
  /** Base address of the interface, such as `http://127.0.0.1:8000/v1`. */
  url: string;
  model: string;
  key: string | undefined;
  timeoutMs: number;
  /** Number of requests for one episode, including the first. */
  attempts: number;
  /** Pause before the second request; doubled before each further one. */
  pauseMs: number;
}

export interface JudgeTools {
  settings: JudgeSettings;
  budget: TokenBudget;
  cache: AnswerCache;
}

export type Judged =
  | { answer: JudgeAnswer; cached: boolean }
  /** `final`: every other episode would fail in the same way. */
  | { reason: string; final: boolean };

const ANSWER_TOKENS = 2048;
const MAX_ANSWER_BYTES = 1 << 20;
const LONGEST_PAUSE_MS = 30_000;

export async function askJudge(talk: JudgedTalk, { settings, budget, cache }: JudgeTools): Promise<Judged> {
  const { url, model, attempts, pauseMs } = settings;
  const body = JSON.stringify({
    model,
    messages: judgeMessages(talk),
    temperature: 0,
    max_tokens: ANSWER_TOKENS,
  });
  const key = createHash('sha256').update(`${url}\n${body}`).digest('hex');
  const known = await cache.find(key);
  const kept = known === undefined ? undefined : checkAnswer(known, talk.speakers);
  if (kept && 'answer' in kept) return { answer: kept.answer, cached: true };
  let failure: Failure = { reason: 'it was not asked', retry: false };
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) await delay(pauseBefore(attempt, pauseMs, failure));
    const held = mostTokens(Buffer.byteLength(body)) + ANSWER_TOKENS;
    if (!budget.reserve(held)) return { reason: 'the budget of tokens is spent', final: false };
    const found = await post(settings, body);
    budget.settle(held, found.tokens);
    const checked = 'content' in found ? checkAnswer(found.content, talk.speakers) : found;
    if ('answer' in checked) {
      await cache.keep(key, JSON.stringify(checked.answer));
      return { answer: checked.answer, cached: false };
    }
    failure = checked;
    if (!failure.retry) return { reason: failure.reason, final: true };
  }
  return { reason: `${failure.reason}, ${attempts} times`, final: false };
}

interface Failure {
  reason: string;
  retry: boolean;
  retryAfterMs?: number;
}

function pauseBefore(attempt: number, pauseMs: number, { retryAfterMs = 0 }: Failure): number {
  return Math.min(LONGEST_PAUSE_MS, Math.max(retryAfterMs, pauseMs * 2 ** (attempt - 1)));
}

/** Sends one request; `tokens` is what it cost: as the judge reports, but at least what its texts must come to. */
async function post(
  { url, key, timeoutMs }: JudgeSettings,
  body: string,
): Promise<({ content: string } | Failure) & { tokens: number }> {
  const asked = leastTokens(Buffer.byteLength(body));
  const posted = await postJson({
    url: `${url.replace(/\/+$/, '')}/chat/completions`,
    body,
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    timeoutMs,
    maxBytes: MAX_ANSWER_BYTES,
  });
  if ('fault' in posted) return { reason: posted.fault, retry: true, tokens: asked };
  if (posted.status !== 200) return { ...statusFailure(posted), tokens: 0 };
  const least = asked + leastTokens(posted.text.length);
  const completion = readCompletion(posted.text);
  if ('reason' in completion) return { ...completion, tokens: least };
  return { content: completion.content, tokens: Math.max(least, completion.tokens) };
}

/** 408, 429 and server errors are temporary; any other status would answer every request. */
function statusFailure({ status, retryAfterMs }: Posted): Failure {
  const retry = status === 408 || status === 429 || status >= 500;
  const reason = `it answered with HTTP ${status}`;
  return { reason, retry, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function readCompletion(text: string): { content: string; tokens: number } | Failure {
  try {
    const about = { code: 'MESSAGE_INVALID', what: 'Its answer' } as const;
    const { choices, usage } = parseMessage(chatCompletionSchema, text, about);
    const tokens = usage?.total_tokens ?? 0;
    return { content: choices[0]?.message.content ?? '', tokens: Math.max(0, Math.ceil(tokens)) };
  } catch {
    return { reason: 'its answer is no chat completion', retry: true };
  }
}

/** Parses the first JSON object of a text and checks it against the schema. */
function checkAnswer(content: string, speakers: number): { answer: JudgeAnswer } | Failure {
  const [start, end] = [content.indexOf('{'), content.lastIndexOf('}')];
  const parsed = parseJsonText(content.slice(Math.max(0, start), end + 1));
  if ('fault' in parsed) return { reason: 'its answer holds no JSON object', retry: true };
  const checked = judgeAnswerSchema(speakers).safeParse(parsed.value);
  if (checked.success) return { answer: checked.data };
  const field = checked.error.issues[0]?.path.join('.') ?? '';
  return { reason: `its answer does not follow the schema at ${field || 'the top level'}`, retry: true };
}
