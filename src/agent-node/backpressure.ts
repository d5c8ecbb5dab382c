/**
 * Pauses the model between two tokens while the spool is nearly full, and resumes it when the analyzer has caught up.
 */
export interface BackpressurePorts {
  stream: { hasRoom(kind: 'token'): boolean; room(kind: 'token'): Promise<void> };
  model: { pause(): void; resume(): void };
}

/** @returns a function to call after every frame that was spooled */
export function createBackpressure({ stream, model }: BackpressurePorts): () => void {
  let held = false;
  const hold = async (): Promise<void> => {
    held = true;
    model.pause();
    await stream.room('token');
    held = false;
    model.resume();
  };
  return () => {
    if (!held && !stream.hasRoom('token')) void hold();
  };
}
