/**
 * Loads a model into a worker thread: `session.run` blocks its thread, and sockets must stay alive during a prefill
 * of any length.
 *
 *   main thread: Dialogue ── calls ──▶ worker: session, cache, sampling
 *                         ◀── events, states by transfer ──
 */
import type { Worker } from 'node:worker_threads';
import { startWorkerThread } from '../../process/worker-thread.ts';
import { EntrainError } from '../../protocol/errors.ts';
import { closeGate, createGate, openGate } from './pause-gate.ts';
import type {
  Dialogue,
  Model,
  ModelInfo,
  ModelOptions,
  ReplyStates,
  SpeakOptions,
  Spoken,
  StepStates,
  TurnState,
} from '../types.ts';
import type { CallEvent, Fault, FromWorker, Order, WorkerInput } from './messages.ts';

type Listener = (event: CallEvent) => void;
type Ask = (dialogue: number, order: Order, listener?: Listener) => Promise<Spoken | undefined>;

interface Pending {
  resolve(spoken: Spoken | undefined): void;
  reject(error: Error): void;
  listener: Listener | undefined;
}

/**
 * @throws EntrainError `MODEL_MISSING`, `MODEL_UNSUPPORTED`, `MODEL_CORRUPT`, `MODEL_UNSAFE` or
 * `PROVIDER_UNAVAILABLE`
 */
export async function loadModel(options: ModelOptions): Promise<Model> {
  const gate = createGate();
  const worker = startWorkerThread(workerUrl(), { workerData: { options, gate } satisfies WorkerInput });
  const failed = new Promise<Error>((resolve) => {
    worker.once('error', resolve);
    worker.once('exit', (code) => resolve(new Error(`the model's worker ended with code ${code}`)));
  });
  const info = await whenReady(worker, failed);
  const ask = createAsk(worker, failed);
  let dialogues = 0;
  return {
    info,
    failed,
    pause: () => closeGate(gate),
    resume: () => openGate(gate),
    open: async (dialogueOptions) => {
      const dialogue = dialogues++;
      await ask(dialogue, { type: 'open', options: dialogueOptions });
      return toDialogue(dialogue, ask);
    },
    stop: async () => void (await worker.terminate()),
  };
}

/** A worker thread runs compiled code, or this source if Node itself strips types. */
function workerUrl(): URL {
  if (!import.meta.url.endsWith('.ts')) return new URL('./worker.js', import.meta.url);
  const bare = 'typescript' in process.features && Boolean(process.features.typescript);
  return new URL(bare ? './worker.ts' : '../../../dist/src/model/worker/worker.js', import.meta.url);
}

async function whenReady(worker: Worker, failed: Promise<Error>): Promise<ModelInfo> {
  const first = new Promise<FromWorker>((resolve) => worker.once('message', resolve));
  const answer = await Promise.race([first, failed]);
  if (answer instanceof Error) throw answer;
  if (answer.type === 'ready') return answer.info;
  await worker.terminate();
  throw answer.type === 'refused' ? toError(answer.fault) : new Error('the worker spoke before it was ready');
}

function toError({ code, message }: Fault): Error {
  return code === undefined ? new Error(message) : new EntrainError(code, message);
}

function createAsk(worker: Worker, failed: Promise<Error>): Ask {
  const pending = new Map<number, Pending>();
  let calls = 0;
  let dead: Error | undefined;
  worker.on('message', (message: FromWorker) => settle(pending, message));
  const giveUp = async (): Promise<void> => {
    dead = await failed;
    for (const { reject } of pending.values()) reject(dead);
    pending.clear();
  };
  void giveUp();
  return (dialogue, order, listener) =>
    new Promise((resolve, reject) => {
      if (dead) return reject(dead);
      const call = calls++;
      pending.set(call, { resolve, reject, listener });
      worker.postMessage({ call, dialogue, order }, []);
    });
}

function settle(pending: Map<number, Pending>, message: FromWorker): void {
  if (message.type === 'ready' || message.type === 'refused') return;
  const waiting = pending.get(message.call);
  if (message.type === 'events') {
    for (const event of message.events) waiting?.listener?.(event);
    return;
  }
  pending.delete(message.call);
  if (message.type === 'done') waiting?.resolve(message.spoken);
  else waiting?.reject(toError(message.fault));
}

function toDialogue(dialogue: number, ask: Ask): Dialogue {
  const tell = async (order: Order, onSteps?: (states: StepStates) => void): Promise<void> => {
    await ask(dialogue, order, (event) => {
      if (event.type === 'steps') onSteps?.(event.states);
    });
  };
  return {
    hear: (text, onSteps) => tell({ type: 'hear', text }, onSteps),
    heard: (text, onSteps) => tell({ type: 'heard', text }, onSteps),
    readAside: (text, onSteps) => tell({ type: 'aside', text }, onSteps),
    missed: () => tell({ type: 'missed' }),
    recall: (text) => tell({ type: 'recall', text }),
    promptTokens: () => promptTokens(dialogue, ask),
    turnState: () => turnState(dialogue, ask),
    replyStates: (alternatives, script) =>
      replyStates(dialogue, ask, { type: 'replies', alternatives, script }),
    speak: (options) => speak(dialogue, ask, options),
    close: () => tell({ type: 'close' }),
  };
}

async function promptTokens(dialogue: number, ask: Ask): Promise<number> {
  let tokens = 0;
  await ask(dialogue, { type: 'count' }, (event) => {
    if (event.type === 'count') ({ tokens } = event);
  });
  return tokens;
}

async function turnState(dialogue: number, ask: Ask): Promise<TurnState> {
  let state: TurnState | undefined;
  await ask(dialogue, { type: 'state' }, (event) => {
    if (event.type === 'state') ({ state } = event);
  });
  if (!state) throw new Error('the worker ended a reading without a state');
  return state;
}

async function replyStates(dialogue: number, ask: Ask, order: Order): Promise<ReplyStates | undefined> {
  let found: ReplyStates | undefined;
  await ask(dialogue, order, (event) => {
    if (event.type === 'replies') found = event.replies;
  });
  return found;
}

async function speak(dialogue: number, ask: Ask, options: SpeakOptions): Promise<Spoken> {
  const { onState, onToken, onSteps, branches, ...turn } = options;
  const order = { ...turn, seeds: branches?.seeds ?? [], patches: branches?.patches ?? [] };
  const spoken = await ask(dialogue, { type: 'speak', options: order }, (event) => {
    if (event.type === 'state') onState(event.state);
    else if (event.type === 'token') onToken(event.token);
    else if (event.type === 'steps') onSteps(event.states);
    else if (event.type === 'branch') branches?.onBranch(event.branch);
    else if (event.type === 'patched') branches?.onPatched?.(event.patched);
  });
  if (!spoken) throw new Error('the worker ended a turn without a reply');
  return spoken;
}
