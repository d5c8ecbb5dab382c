/** The worker thread: owns the session, carries out one call after another, and reports events. */
import { parentPort, workerData, type TransferListItem } from 'node:worker_threads';
import { EntrainError } from '../../protocol/errors.ts';
import { openDialogue } from '../dialogue/dialogue.ts';
import { waitAtGate } from './pause-gate.ts';
import { openModel, type OpenModel } from './open-model.ts';
import type { Branch, Dialogue, Patched, Spoken, StepStates } from '../types.ts';
import type { Call, CallEvent, Fault, FromWorker, Order, SpeakOrder, WorkerInput } from './messages.ts';

type Emit = (event: CallEvent) => void;

/** Events not yet sent to the main thread, by call: one message per call and pass, not one per event. */
const outbox = new Map<number, CallEvent[]>();

const port = parentPort;
if (!port) throw new Error('worker.ts runs in a worker thread only');

function post(message: FromWorker, transfer: TransferListItem[] = []): void {
  port?.postMessage(message, transfer);
}

function toFault(error: unknown): Fault {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof EntrainError ? error.code : undefined, message };
}

function report(call: number): Emit {
  return (event) => {
    const events = outbox.get(call);
    if (events) events.push(event);
    else outbox.set(call, [event]);
  };
}

/** Sends waiting events: before each pass, which takes the longest, and before a call is answered. */
function sendEvents(): void {
  for (const [call, events] of outbox) post({ type: 'events', call, events }, events.flatMap(buffersOf));
  outbox.clear();
}

function buffersOf(event: CallEvent): TransferListItem[] {
  return arraysOf(event).map(({ buffer }) => buffer as ArrayBuffer);
}

/** The arrays to transfer with an event. */
function arraysOf(event: CallEvent): Float32Array[] {
  switch (event.type) {
    case 'state':
      return [event.state.data, event.state.words];
    case 'steps':
      return [event.states.data];
    case 'branch':
      return [event.branch.end, event.branch.mean, event.branch.bystander];
    case 'replies':
      return event.replies?.states ?? [];
    case 'patched':
    case 'token':
    case 'count':
      return [];
  }
}

/** A model and its open dialogues, by number. */
interface OpenDialogues {
  model: OpenModel;
  dialogues: Map<number, Dialogue>;
}

async function carryOut(
  desk: OpenDialogues,
  { call, dialogue: number, order }: Call,
): Promise<Spoken | undefined> {
  if (order.type === 'open') {
    await desk.model.openPatches(order.options.patchLayers ?? []);
    desk.dialogues.set(number, openDialogue(desk.model, order.options));
    return undefined;
  }
  const dialogue = desk.dialogues.get(number);
  if (!dialogue) throw new Error(`dialogue ${number} is not open`);
  if (order.type === 'close') desk.dialogues.delete(number);
  if (order.type === 'speak') return speak(dialogue, order.options, report(call));
  await listen(dialogue, order, report(call));
  return undefined;
}

function speak(dialogue: Dialogue, { seeds, patches, ...order }: SpeakOrder, emit: Emit): Promise<Spoken> {
  const onBranch = (branch: Branch): void => emit({ type: 'branch', branch });
  const onPatched = (patched: Patched): void => emit({ type: 'patched', patched });
  return dialogue.speak({
    ...order,
    branches: seeds.length > 0 ? { seeds, onBranch, patches, onPatched } : undefined,
    onState: (state) => emit({ type: 'state', state }),
    onToken: (token) => emit({ type: 'token', token }),
    onSteps: (states) => emit({ type: 'steps', states }),
  });
}

function listen(
  dialogue: Dialogue,
  order: Exclude<Order, { type: 'open' | 'speak' }>,
  emit: Emit,
): Promise<void> {
  const onSteps = (states: StepStates): void => emit({ type: 'steps', states });
  switch (order.type) {
    case 'hear':
      return dialogue.hear(order.text, onSteps);
    case 'heard':
      return dialogue.heard(order.text, onSteps);
    case 'aside':
      return dialogue.readAside(order.text, onSteps);
    case 'missed':
      return dialogue.missed();
    case 'count':
      return dialogue.promptTokens().then((tokens) => emit({ type: 'count', tokens }));
    case 'state':
      return dialogue.turnState().then((state) => emit({ type: 'state', state }));
    case 'replies':
      return dialogue
        .replyStates(order.alternatives, order.script)
        .then((replies) => emit({ type: 'replies', replies }));
    case 'recall':
      return dialogue.recall(order.text);
    case 'close':
      return dialogue.close();
  }
}

/** Whether a preview is obsolete, since a later text of the same dialogue waits. */
function isStale(call: Call, waiting: readonly Call[]): boolean {
  return (
    call.order.type === 'hear' && waiting.some(({ order }) => order.type === 'hear' || order.type === 'heard')
  );
}

function answer(message: FromWorker): void {
  sendEvents();
  post(message);
}

/** Carries out the calls of one dialogue one after another, those of several dialogues concurrently. */
function serve(model: OpenModel): void {
  const desk: OpenDialogues = { model, dialogues: new Map() };
  const lines = new Map<number, Call[]>();
  port?.on('message', (call: Call) => {
    const line = lines.get(call.dialogue);
    if (line) return void line.push(call);
    const waiting = [call];
    lines.set(call.dialogue, waiting);
    void workOff(desk, waiting).then(() => lines.delete(call.dialogue));
  });
}

async function workOff(desk: OpenDialogues, waiting: Call[]): Promise<void> {
  for (let call = waiting.shift(); call; call = waiting.shift()) {
    const { call: id } = call;
    if (isStale(call, waiting)) {
      post({ type: 'done', call: id, spoken: undefined });
      continue;
    }
    await carryOut(desk, call).then(
      (spoken) => answer({ type: 'done', call: id, spoken }),
      (error: unknown) => answer({ type: 'failed', call: id, fault: toFault(error) }),
    );
  }
}

try {
  const { options, gate } = workerData as WorkerInput;
  const model = await openModel(options, () => {
    sendEvents();
    waitAtGate(gate);
  });
  serve(model);
  post({ type: 'ready', info: model.info });
} catch (error) {
  post({ type: 'refused', fault: toFault(error) });
  port.close();
}
