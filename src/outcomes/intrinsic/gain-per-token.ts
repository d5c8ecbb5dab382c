/**
 * How much likelier a dialogue's replies are behind the words that its partner really said. The dialogue is one until
 * its partner's words differ from the other dialogue's; then it goes on as two that hold the same beginning.
 *
 *   system prompt, own words ─┬─ partner's real words ──▶ reply: nats
 *                             └─ other partner's words ─▶ the same reply: nats
 */
import { addTurn } from '../../model/dialogue/add-turn.ts';
import type { Engine } from '../../model/dialogue/engine.ts';
import { countTokens, segmentOf } from '../../model/dialogue/prompt-plan.ts';
import { natsOf, takeGiven } from '../../model/dialogue/reply-likelihood.ts';
import type { PartnerTurn } from './partner-words.ts';

/**
 * @param engine of a dialogue without turns; its cache is left to the caller
 * @returns nats per token of the replies; undefined without a reply
 */
export async function gainPerToken(
  engine: Engine,
  turns: readonly PartnerTurn[],
): Promise<number | undefined> {
  const sum = { nats: 0, tokens: 0 };
  const first = turns.findIndex((turn) => turn.who === 'peer' && turn.real !== turn.other);
  const same = first < 0 ? turns.length : first;
  for (const turn of turns.slice(0, same)) await takeTurn([engine], turn, sum);
  if (same < turns.length) {
    await readSoFar(engine);
    const other = { ...engine, turns: [...engine.turns], cache: engine.cache.fork() };
    try {
      for (const turn of turns.slice(same)) await takeTurn([engine, other], turn, sum);
    } finally {
      other.cache.close();
    }
  }
  return sum.tokens === 0 ? undefined : sum.nats / sum.tokens;
}

/** @param engines the dialogue with the real words, and where it differs the one with the other's */
async function takeTurn(
  engines: [Engine] | [Engine, Engine],
  turn: PartnerTurn,
  sum: { nats: number; tokens: number },
): Promise<void> {
  if (turn.who === 'unheard') for (const { turns } of engines) turns.push({ who: 'unheard', text: '' });
  else if (turn.who === 'peer')
    for (const [at, engine] of engines.entries()) addTurn(engine, 'peer', at === 0 ? turn.real : turn.other);
  else {
    const [real, other] = engines.map((engine) => takeGiven(engine, turn.text));
    if (!real || !turn.isReply || (engines.length > 1 && !other)) return;
    sum.tokens += countTokens(real.reply);
    if (!engines[1] || !other) return;
    const nats = await Promise.all([natsOf(engines[0], real), natsOf(engines[1], other)]);
    sum.nats += nats[0] - nats[1];
  }
}

/** Runs what all that follows begins with: nothing of it is wanted but the cache. */
async function readSoFar({ cache, plan, turns }: Engine): Promise<void> {
  const last = segmentOf(turns.length - 1);
  const held = plan(turns).filter(({ segment }) => segment <= last);
  await cache.follow(held, { layersOf: () => [], onPass: () => undefined });
}
