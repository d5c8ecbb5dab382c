/**
 * Schedules passes on the session. Dialogues with one token to compute share a pass; chunks of prompts share one
 * where they can. Neither kind waits for more than one pass of the other kind.
 *
 *   chunk, chunk, … ─┐
 *                    ├─▶ a pass over chunks, then one over all tokens that wait, then chunks …
 *   token, token, … ─┘
 */
export interface PassQueue<Row, Output> {
  /** Computes a chunk of a prompt. What yields comes after what does not. */
  chunk(row: Row, yields?: boolean): Promise<Output>;
  /** Computes one token, together with others that wait. */
  step(row: Row, yields?: boolean): Promise<Output>;
}

interface Waiting<Row, Output> {
  row: Row;
  resolve(output: Output): void;
  reject(error: unknown): void;
}

export interface QueueOptions<Row, Output> {
  /** Most tokens in a pass of steps. */
  rowsPerPass: number;
  runSteps(rows: readonly Row[]): Promise<Output[]>;
  /** Those of the waiting chunks that share the next pass. */
  chooseChunks(waiting: readonly Row[]): readonly Row[];
  runChunks(rows: readonly Row[]): Promise<Output[]>;
}

export function createPassQueue<Row, Output>(options: QueueOptions<Row, Output>): PassQueue<Row, Output> {
  const { rowsPerPass, runSteps, runChunks } = options;
  const chunks = createLine<Row, Output>((rows) => options.chooseChunks(rows));
  const steps = createLine<Row, Output>((rows) => rows.slice(0, rowsPerPass));
  let running = false;
  const work = async (): Promise<void> => {
    running = true;
    while (chunks.waits() || steps.waits()) {
      await othersHaveAsked();
      await runTogether(chunks.take(), runChunks);
      await othersHaveAsked();
      await runTogether(steps.take(), runSteps);
    }
    running = false;
  };
  const start = (): void => {
    if (!running) void work();
  };
  const ask =
    (line: Line<Row, Output>) =>
    (row: Row, yields = false): Promise<Output> =>
      new Promise((resolve, reject) => {
        line.add({ row, resolve, reject }, yields);
        start();
      });
  return { chunk: ask(chunks), step: ask(steps) };
}

interface Line<Row, Output> {
  add(waiting: Waiting<Row, Output>, yields: boolean): void;
  waits(): boolean;
  /** Removes those of the next pass. */
  take(): Waiting<Row, Output>[];
}

/** @param choose those of the next pass, from all in their order */
function createLine<Row, Output>(choose: (rows: readonly Row[]) => readonly Row[]): Line<Row, Output> {
  let live: Waiting<Row, Output>[] = [];
  let yielding: Waiting<Row, Output>[] = [];
  return {
    add: (waiting, yields) => void (yields ? yielding : live).push(waiting),
    waits: () => live.length > 0 || yielding.length > 0,
    take: () => {
      const all = [...live, ...yielding];
      if (all.length === 0) return [];
      const chosen = new Set(choose(all.map(({ row }) => row)));
      const stays = ({ row }: Waiting<Row, Output>): boolean => !chosen.has(row);
      live = live.filter(stays);
      yielding = yielding.filter(stays);
      return all.filter(({ row }) => chosen.has(row));
    },
  };
}

/** Answers all waiting calls, also if the pass failed. */
async function runTogether<Row, Output>(
  taken: readonly Waiting<Row, Output>[],
  run: (rows: readonly Row[]) => Promise<Output[]>,
): Promise<void> {
  if (taken.length === 0) return;
  try {
    const outputs = await run(taken.map(({ row }) => row));
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
