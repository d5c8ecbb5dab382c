/** Reads and follows one run folder: what the page shows of it, and what changed since the last read. */
import { join } from 'node:path';
import { eventSchema, utteranceSchema, type RunFacts } from '../../protocol/nats-messages.ts';
import { readRunFile } from '../../process/run-folder/run-file.ts';
import type {
  EffectsView,
  FeedMessage,
  FiguresView,
  RunEntry,
  RunState,
  RunView,
  UtteranceView,
} from '../view-data.ts';
import { effectsView } from './effects-state.ts';
import { emptyFigures, figuresView, isProvisional, takeScore } from './figures-state.ts';
import { createLineTail, objectsOf, type LineTail } from './line-tail.ts';
import {
  agentInPlace,
  emptyTalk,
  lackingIn,
  takeAlternative,
  takeEvent,
  takeUtterance,
} from './talk-state.ts';

export class FollowedRun {
  readonly #folder: string;
  readonly #tails;
  readonly #talk = emptyTalk();
  readonly #figures = emptyFigures();
  #facts: RunFacts | undefined;
  #isAlive = true;

  constructor(folder: string) {
    this.#folder = folder;
    const tail = (file: string): LineTail => createLineTail(join(folder, file));
    this.#tails = {
      events: tail('events.jsonl'),
      transcript: tail('transcript.jsonl'),
      branches: tail('branches.jsonl'),
      scores: tail('scores.jsonl'),
    };
  }

  /**
   * Reads what is new.
   * @returns the changes, in their order; undefined if the folder holds no run
   */
  async look(isAlive: () => Promise<boolean>): Promise<FeedMessage[] | undefined> {
    this.#facts ??= await readRunFile(this.#folder).catch(() => undefined);
    if (!this.#facts) return undefined;
    const before = this.#standing();
    const messages = await this.#readTalk();
    const lines = objectsOf(await this.#tails.scores.read());
    const scored = lines.filter((line) => takeScore(this.#figures, line)).length > 0;
    this.#isAlive = await isAlive();
    if (scored) messages.push({ type: 'figures', figures: this.#figuresNow() });
    if (scored || this.#standing() !== before)
      messages.push({ type: 'run', entry: this.entry(), ...this.#failure() });
    return messages;
  }

  entry(): RunEntry {
    return {
      run: this.#facts?.run ?? '',
      study: this.#facts?.study.name ?? '',
      state: this.#state(),
      startedAtMs: this.#facts?.startedAtMs ?? 0,
      episodes: this.#talk.planned,
      finished: this.#talk.finished,
      conditions: this.#facts?.study.conditions ?? [],
      verdict: this.#figuresNow().verdict.claim,
    };
  }

  view(): RunView {
    return {
      ...this.entry(),
      ...planOf(this.#facts),
      talks: [...this.#talk.talks.values()],
      figures: this.#figuresNow(),
      ...this.#failure(),
    };
  }

  /** The utterances of an episode, in the order of the turns. */
  words(episode: string): readonly UtteranceView[] {
    return this.#talk.words.get(episode) ?? [];
  }

  /** What the utterances of an episode did to their listeners. */
  effects(episode: string): EffectsView {
    return effectsView(this.#figures.effects, episode);
  }

  /** The first `most` utterances that contain `text`, regardless of case. */
  find(text: string, most: number): UtteranceView[] {
    const wanted = text.toLowerCase();
    const all = [...this.#talk.words.values()].flat();
    return all.filter((one) => one.text.toLowerCase().includes(wanted)).slice(0, most);
  }

  #figuresNow(): FiguresView {
    const talks = [...this.#talk.talks.values()];
    return figuresView(this.#figures, {
      nameOf: (condition, role) => agentInPlace(talks, condition, role),
      lacking: lackingIn(talks),
    });
  }

  async #readTalk(): Promise<FeedMessage[]> {
    const { events, transcript, branches } = this.#tails;
    const talks = objectsOf(await events.read()).flatMap((line): FeedMessage[] => {
      const event = eventSchema.safeParse(line);
      const view = event.success ? takeEvent(this.#talk, event.data) : undefined;
      return view ? [{ type: 'talk', talk: view }] : [];
    });
    const turns = objectsOf(await transcript.read()).flatMap((line) => asMessage(this.#takeTurn(line)));
    const others = objectsOf(await branches.read()).flatMap((line) => asMessage(this.#takeBranch(line)));
    return [...talks, ...turns, ...others];
  }

  #takeTurn(line: Record<string, unknown>): UtteranceView | undefined {
    const { data } = utteranceSchema.safeParse(line);
    if (!data) return undefined;
    const { episode, turn, agent, text, finish } = data;
    return takeUtterance(this.#talk, { episode, turn, agent, text, finish });
  }

  #takeBranch(line: Record<string, unknown>): UtteranceView | undefined {
    const { episode, turn, k, text, finish, layer, size, donor } = line;
    if (typeof episode !== 'string' || typeof turn !== 'number') return undefined;
    if (typeof k !== 'number' || typeof text !== 'string' || k < 1) return undefined;
    if (finish === 'skipped') return undefined;
    const by = typeof size === 'number' ? `by ${size} SD` : `to that of ${String(donor)}`;
    const moved = typeof layer === 'number' ? { moved: { layer, by } } : {};
    return takeAlternative(this.#talk, { episode, turn }, { k, text, ...moved });
  }

  #state(): RunState {
    const { state } = this.#talk;
    if (state === 'running' && !this.#isAlive) return 'stopped';
    return state === 'finished' && isProvisional(this.#figures) && this.#isAlive ? 'scoring' : state;
  }

  #standing(): string {
    return JSON.stringify([this.#state(), this.#talk.finished, this.#talk.planned]);
  }

  #failure(): { failure?: string } {
    return this.#talk.failure === undefined ? {} : { failure: this.#talk.failure };
  }
}

const asMessage = (utterance: UtteranceView | undefined): FeedMessage[] =>
  utterance ? [{ type: 'utterance', utterance }] : [];

function planOf(
  facts: RunFacts | undefined,
): Pick<RunView, 'seed' | 'maxTurns' | 'temperature' | 'hasBranches' | 'agents' | 'scenarios'> {
  if (!facts) return { seed: 0, maxTurns: 0, temperature: 0, hasBranches: false, agents: [], scenarios: [] };
  const { study, agents } = facts;
  const models = Object.entries(agents).map(([id, { name, layers, dims }]) => ({
    id,
    model: name,
    layers,
    dims,
  }));
  const scenarios = study.scenarios.map(({ id, text, people }) => ({ id, text, people }));
  const hasBranches = study.branches !== null;
  const { seed, maxTurns, sampling } = study;
  return { seed, maxTurns, temperature: sampling.temperature, hasBranches, agents: models, scenarios };
}
