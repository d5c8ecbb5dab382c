/** Holds the model between two tokens while the spool is nearly full, and lets go when the analyzer has caught up. */
export interface BrakePorts {
  stream: { hasRoom(kind: 'token'): boolean; room(kind: 'token'): Promise<void> };
  model: { pause(): void; resume(): void };
}

/** @returns what is to be called after every frame that was spooled */
export function createBrake({ stream, model }: BrakePorts): () => void {
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
