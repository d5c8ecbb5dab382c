/**
 * Plays one episode from one agent's side: hears the others, speaks its own turns and publishes them. It decides only
 * the order of these steps; model, stream and messages are given to it.
 *
 *   partner's turn:  tokens ─▶ hear ─▶ … utterance ─▶ heard ─▶ states of replies, where the turn branches
 *   own turn:        speak ─▶ frames, token previews ─▶ all spooled ─▶ alternatives ─▶ utterance
 */
import { patchedLayers, utteranceSeed } from '../protocol/branches.ts';
import type { AgentSpec, Alternative, Token, Utterance } from '../protocol/nats-messages.ts';
import { endOfTalk, rolesGone } from '../protocol/early-end.ts';
import type { Dialogue, Model, Spoken, StepStates, TurnState } from '../model/types.ts';
import {
  askBranches,
  layerOf,
  sayAlternatives,
  sendReplies,
  type BranchPorts,
  type SaidVersion,
} from './branches.ts';
import { episodeFrame, stepsFrame, turnFrame, type FramePlace } from './frames.ts';
import { openControl, type Control } from './hearing/control.ts';
import { isMine, readScript, remember, scriptOf } from './hearing/remember-talk.ts';
import { hearsTurn } from '../protocol/scenarios/hears-turn.ts';
import { systemPrompt } from '../protocol/scenarios/system-prompt.ts';
import type { AgentMetrics } from './metrics.ts';
import type { Preview } from './preview.ts';
import { openReader, readAlong } from './paper-reader.ts';
import { talkMark } from './talk-mark.ts';
import type { Heard, UtteranceInbox } from './utterance-inbox.ts';

export interface EpisodePorts extends BranchPorts {
  stream: string;
  model: Model;
  utterances: UtteranceInbox;
  preview: Preview;
  metrics: AgentMetrics;
  /** @param isHeard whether the other agents of the episode hear the turn */
  sayToken(token: Token, isHeard: boolean): void;
  /**
   * @returns what the run's stream holds as this turn: this utterance, or one that the role spoke in an earlier life
   */
  sayUtterance(utterance: Utterance): Promise<Utterance>;
  signal: AbortSignal;
}

export async function playEpisode(spec: AgentSpec, ports: EpisodePorts): Promise<void> {
  ports.frames.append(episodeFrame(spec));
  let said: readonly Utterance[] | undefined = spec.history;
  while (said) said = await playFrom(spec, said, ports);
}

/**
 * Plays the turns from the given one on.
 * @returns undefined at the end; otherwise the utterance really stored, if an earlier life spoke the turn otherwise
 */
async function playFrom(
  spec: AgentSpec,
  history: readonly Utterance[],
  ports: EpisodePorts,
): Promise<Utterance[] | undefined> {
  const { sampling, steps, startedAtMs: atMs } = spec;
  const dialogue = await ports.model.open({
    id: spec.episode,
    system: systemPrompt(spec),
    sampling,
    steps,
    atMs,
    patchLayers: patchedLayers(spec.branches),
  });
  const reader = await openReader(spec, ports.model);
  const control = await openControl(spec, ports.model);
  const said = [...history];
  const speakers = spec.order.length;
  try {
    for (const [turn, utterance] of history.entries()) {
      await remember(spec, utterance, dialogue);
      await readAlong(reader, utterance);
      const gone = rolesGone(history.slice(0, turn + 1), speakers);
      if (!gone.has(spec.role)) await repeatReplies(spec, { turn, dialogue, ports });
    }
    while (endOfTalk(said, { ...spec.limits, speakers }) === undefined) {
      const gone = rolesGone(said, speakers);
      const at = { turn: said.length, before: said.at(-1), gone };
      const { utterance, text } = await takeTurn(spec, { ...at, dialogue, reader, control, ports });
      said.push(utterance);
      await readAlong(reader, utterance);
      if (utterance.text !== text) return said;
    }
    return undefined;
  } finally {
    await dialogue.close();
    await reader?.close();
    await control?.close();
  }
}

/** Sends the reply states that an earlier life of the role may not have sent. */
async function repeatReplies(spec: AgentSpec, at: Pick<TurnContext, 'turn' | 'dialogue' | 'ports'>) {
  const alternatives = spec.alternatives.filter(({ turn }) => turn === at.turn);
  if (alternatives.length > 0) await replyTo(spec, { ...at, alternatives });
}

async function replyTo(
  spec: AgentSpec,
  heard: Pick<TurnContext, 'turn' | 'dialogue' | 'ports'> & { alternatives: readonly Alternative[] },
): Promise<void> {
  const { turn, dialogue, ports, alternatives } = heard;
  // The next speaker reads its script first, if it has one.
  const script = spec.speaks && isMine(spec, turn + 1) ? scriptOf(spec, turn + 1) : undefined;
  await sendReplies({ spec, turn, ports }, { alternatives, dialogue, script });
}

interface TurnContext {
  turn: number;
  /** The utterance of the turn before. */
  before: Utterance | undefined;
  /** Roles whose speaker has left. */
  gone: ReadonlySet<number>;
  dialogue: Dialogue;
  reader?: Dialogue | undefined;
  control?: Control | undefined;
  ports: EpisodePorts;
}

/** The utterance stored in the run, and the text that this agent's dialogue holds for it. */
interface Taken {
  utterance: Utterance;
  text: string;
}

async function takeTurn(spec: AgentSpec, context: TurnContext): Promise<Taken> {
  const { gone, turn } = context;
  if (gone.has(spec.role) || gone.has(turn % spec.order.length)) return passTurn(spec, context);
  if (!isMine(spec, context.turn)) return listenTurn(spec, context);
  return spec.speaks ? speakTurn(spec, context) : readTurn(spec, context);
}

/** Passes a turn without taking a state: its speaker has left, or this agent has left and hears nothing. */
async function passTurn(spec: AgentSpec, { turn, gone, dialogue, ports }: TurnContext): Promise<Taken> {
  const { agent, frames, stream, utterances, signal } = ports;
  const at = { episode: spec.episode, turn };
  if (!isMine(spec, turn)) {
    const utterance = await utterances.take(at, signal);
    if (!gone.has(spec.role)) await dialogue.missed();
    return { utterance, text: utterance.text };
  }
  const place = { stream, epoch: frames.epoch, lastSeq: frames.lastSeq() };
  const empty = { text: '', finish: 'absent', tokens: 0, droppedTurns: 0 } as const;
  return { utterance: await ports.sayUtterance({ ...at, agent, ...empty, ...place }), text: '' };
}

async function speakTurn(spec: AgentSpec, context: TurnContext): Promise<Taken> {
  const { turn, before, dialogue, ports } = context;
  const { seating } = spec;
  const { agent, frames, metrics, stream, sayToken, sayUtterance } = context.ports;
  await frames.room('turn');
  const at = (): FramePlace => ({ episode: spec.episode, turn, tNs: frames.sinceEpochNs() });
  const onSteps = (states: StepStates): void => {
    frames.append(stepsFrame(states, at()));
  };
  await readScript(spec, { turn, dialogue, onSteps });
  // All agents of an episode use the same draw, so what this one would hear, the others hear.
  const isHeard = hearsTurn(spec, turn);
  const versions: SaidVersion[] = [];
  let own: TurnState | undefined;
  const branches = await askBranches({ spec, turn, ports, own: () => own as TurnState }, versions);
  const keeping: Promise<void>[] = [];
  const read = await context.reader?.turnState();
  const spoken: Spoken = await dialogue.speak({
    seed: utteranceSeed(spec.seed, turn, 0),
    branches,
    maxTokens: spec.limits.maxTokens,
    mayLeave: turn >= spec.limits.minTurns,
    onState: (state) => {
      own = state;
      keeping.push(keepState(spec, { turn, state, ports }));
      frames.append(turnFrame(state, { ...at(), seating, talk: talkMark(before, state.droppedTurns) }, read));
    },
    onToken: (token) => sayToken({ episode: spec.episode, turn, agent, ...token }, isHeard),
    onSteps,
  });
  await Promise.all(keeping);
  metrics.spoke(spoken);
  const { text, finish, tokens, droppedTurns } = spoken;
  await sayAlternatives({ spec, turn, ports }, versions);
  const place = { stream, epoch: frames.epoch, lastSeq: frames.lastSeq() };
  const mine = { episode: spec.episode, turn, agent, text, finish, tokens, droppedTurns, ...place };
  return { utterance: await sayUtterance(mine), text };
}

/** Keeps the layers of a state by which later ones are moved. */
async function keepState(
  { keepLayers, condition, episode }: AgentSpec,
  { turn, state, ports }: { turn: number; state: TurnState; ports: EpisodePorts },
): Promise<void> {
  for (const layer of keepLayers)
    await ports.kept.keep({ condition, episode, turn, layer }, layerOf(state, layer));
}

/** A reader's turn: the state in which it would answer, then the words that the agent in its role really spoke. */
async function readTurn(spec: AgentSpec, { turn, before, dialogue, ports }: TurnContext): Promise<Taken> {
  const { frames, utterances, signal } = ports;
  await frames.room('turn');
  const state = await dialogue.turnState();
  const place = { episode: spec.episode, turn };
  const talk = talkMark(before, state.droppedTurns);
  frames.append(turnFrame(state, { ...place, seating: spec.seating, talk, tNs: frames.sinceEpochNs() }));
  const utterance = await utterances.take(place, signal);
  await dialogue.recall(utterance.text);
  return { utterance, text: utterance.text };
}

async function listenTurn(spec: AgentSpec, context: TurnContext): Promise<Taken> {
  const { turn, dialogue } = context;
  const { frames, metrics, preview, utterances, signal } = context.ports;
  const place = { episode: spec.episode, turn };
  const onSteps = (states: StepStates): void => {
    frames.append(stepsFrame(states, { ...place, tNs: frames.sinceEpochNs() }));
  };
  const hears = hearsTurn(spec, turn);
  const following = hears ? preview.follow(place, (text) => dialogue.hear(text, onSteps)) : undefined;
  const utterance = await takeWhile(following, utterances.take(place, signal));
  if (hears) {
    await dialogue.heard(utterance.text, onSteps);
    await context.control?.read(turn, utterance.text, onSteps);
  } else await dialogue.missed();
  metrics.heard(hears);
  const { alternatives = [] } = utterance;
  if (alternatives.length > 0) await replyTo(spec, { turn, dialogue, ports: context.ports, alternatives });
  return { utterance, text: utterance.text };
}

async function takeWhile(
  following: { stop(): Promise<void> } | undefined,
  utterance: Promise<Heard>,
): Promise<Heard> {
  try {
    return await utterance;
  } finally {
    await following?.stop();
  }
}
