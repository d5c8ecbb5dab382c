/**
 * Schedules passes on the session. Dialogues with one token to compute share a pass. A chunk of a prompt has a pass
 * of its own, since its bits would depend on the others. Neither waits for more than one pass of the other kind.
 *
 *   chunk, chunk, … ─┐
 *                    ├─▶ one chunk, then one pass over all tokens that wait, then one chunk …
 *   token, token, … ─┘
 */
export interface PassQueue<Step, Output> {
  /** Runs `pass` when it is due; no other pass runs meanwhile. */
  chunk<T>(pass: () => Promise<T>): Promise<T>;
  /** Computes one token, together with others that wait. A step that yields comes after those that do not. */
  step(step: Step, yields?: boolean): Promise<Output>;
}

interface Waiting<Step, Output> {
  step: Step;
  resolve(output: Output): void;
  reject(error: unknown): void;
}

export interface QueueOptions<Step, Output> {
  /** Most tokens in a pass. */
  rowsPerPass: number;
  runSteps(steps: readonly Step[]): Promise<Output[]>;
}

export function createPassQueue<Step, Output>({
  rowsPerPass,
  runSteps,
}: QueueOptions<Step, Output>): PassQueue<Step, Output> {
  const chunks: (() => Promise<void>)[] = [];
  const live: Waiting<Step, Output>[] = [];
  const yielding: Waiting<Step, Output>[] = [];
  const takeSteps = (): Waiting<Step, Output>[] => {
    const taken = live.splice(0, rowsPerPass);
    return [...taken, ...yielding.splice(0, rowsPerPass - taken.length)];
  };
  let running = false;
  const work = async (): Promise<void> => {
    running = true;
    while (chunks.length > 0 || live.length > 0 || yielding.length > 0) {
      await chunks.shift()?.();
      await othersHaveAsked();
      const steps = takeSteps();
      if (steps.length > 0) await runTogether(steps, runSteps);
      await othersHaveAsked();
    }
    running = false;
  };
  const start = (): void => {
    if (!running) void work();
  };
  return {
    chunk: (pass) =>
      new Promise((resolve, reject) => {
        chunks.push(() => pass().then(resolve, reject));
        start();
      }),
    step: (step, yields = false) =>
      new Promise((resolve, reject) => {
        (yields ? yielding : live).push({ step, resolve, reject });
        start();
      }),
  };
}

/** Answers all waiting calls, also if the pass failed. */
async function runTogether<Step, Output>(
  taken: readonly Waiting<Step, Output>[],
  runSteps: QueueOptions<Step, Output>['runSteps'],
): Promise<void> {
  try {
    const outputs = await runSteps(taken.map(({ step }) => step));
    for (const [i, output] of outputs.entries()) taken[i]?.resolve(output);
  } catch (error) {
    for (const { reject } of taken) reject(error);
  }
}

/**
 * Settles when those who waited for the last pass have asked for the next, and messages from the main thread were
 * read.
 */
function othersHaveAsked(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
