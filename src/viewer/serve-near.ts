/** Serves on a wanted port, or on the next free one, so that a second viewer needs no flag. */
import { EntrainError } from '../protocol/errors.ts';
import { serveHttp, type HttpOptions, type HttpServer } from '../transport/http/server.ts';

/** Ports that are tried, the wanted one included. */
const TRIES = 20;
const LAST_PORT = 65_535;

/** @throws EntrainError `PORT_IN_USE` if none of the ports is free, or the address cannot be listened on */
export async function serveNear(options: HttpOptions): Promise<HttpServer> {
  const last = Math.min(LAST_PORT, options.port + TRIES - 1);
  for (let { port } = options; ; port += 1)
    try {
      return await serveHttp({ ...options, port });
    } catch (error) {
      const isTaken = error instanceof EntrainError && error.code === 'PORT_IN_USE';
      if (!isTaken || port >= last) throw error;
    }
}
