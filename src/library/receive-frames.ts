/** Receives hidden states in a program of one's own: it records every frame, then hands it on. */
import { join } from 'node:path';
import type { DataMessage } from '../protocol/stream/frames.ts';
import { openRecording, type Recording } from '../journal/run-recording.ts';
import { systemClock } from '../process/clock.ts';
import { createLog } from '../process/log.ts';
import { serveHttp } from '../transport/http/server.ts';
import { createStreamServer } from '../transport/stream/receiver/server.ts';
import { verifyToken } from '../transport/stream/auth/access-token.ts';
import { requireKey } from '../transport/stream/auth/signed-claims.ts';

export interface FrameOrigin {
  run: string;
  stream: string;
  epoch: number;
}

export interface ReceiverOptions {
  /** Folder of recordings: frames of run R are in `<runs>/R/streams`. */
  runs: string;
  /**
   * Public key (PEM) of the signer of the senders' tokens; `createTokenKeys` and `entrain keys DIR` make a key
   * pair.
   */
  publicKeyPem: string;
  /** Address to listen on; 127.0.0.1 by default. */
  host?: string;
  /** Port to listen on; by default, or with 0, a free one. */
  port?: number;
  /** Called once per frame and in order, when the frame is on disk. */
  onFrame(frame: DataMessage, origin: FrameOrigin): void;
}

export interface Receiver {
  /** URL that senders connect to: `ws://…/stream`. */
  url: string;
  /** Ends every connection; settles when all accepted frames are on disk. */
  close(): Promise<void>;
}

const PATH = '/stream';

/**
 * Starts to receive.
 * @throws EntrainError `PORT_IN_USE`; `CONFIG_INVALID` for a key that is none
 */
export async function receiveFrames(options: ReceiverOptions): Promise<Receiver> {
  const { runs, publicKeyPem, host = '127.0.0.1', port = 0, onFrame } = options;
  requireKey(publicKeyPem, { half: 'public', setting: 'publicKeyPem' });
  const log = createLog('receiver');
  const recordings = new Map<string, Promise<Recording>>();
  const recordingOf = (run: string): Promise<Recording> => {
    const opened = recordings.get(run) ?? openRecording({ folder: join(runs, run), log });
    recordings.set(run, opened);
    opened.catch(() => recordings.delete(run));
    return opened;
  };
  const http = await serveHttp({ host, port, routes: {}, upgradePath: PATH, log });
  const stream = createStreamServer({
    server: http.upgrades,
    path: PATH,
    authorize: (token) => verifyToken(publicKeyPem, token, { nowMs: systemClock.nowMs() }),
    record: async (run, name) => (await recordingOf(run)).stream(name),
    onRecorded: (frame, { run, stream: name, epoch }) => onFrame(frame, { run, stream: name, epoch }),
    log,
    clock: systemClock,
  });
  return {
    url: `${http.url.replace(/^http/, 'ws')}${PATH}`,
    close: async () => {
      await stream.close();
      await http.close();
      for (const opened of recordings.values()) await (await opened).close();
    },
  };
}
