/**
 * A gate that one thread closes and another waits at. The worker may block: it has nothing else to do, and words to
 * hear wait as messages.
 */

/** One number in shared memory: 1 while the gate is closed. */
export type Gate = Int32Array;

const CLOSED = 1;

export function createGate(): Gate {
  return new Int32Array(new SharedArrayBuffer(4));
}

export function closeGate(gate: Gate): void {
  Atomics.store(gate, 0, CLOSED);
}

export function openGate(gate: Gate): void {
  Atomics.store(gate, 0, 0);
  Atomics.notify(gate, 0);
}

/** Blocks the calling thread while the gate is closed. */
export function waitAtGate(gate: Gate): void {
  Atomics.wait(gate, 0, CLOSED);
}
