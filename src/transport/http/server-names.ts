/** The names of a server: what stands in its URL, and what clients may call it. */

export interface ServerNames {
  host: string;
  /** `NAME` or `NAME:PORT` by which others reach it, if that is not `host`. */
  advertise?: string | undefined;
}

/** Host and port as they are written in a URL. */
export function placeOf({ host, advertise }: ServerNames, port: number): string {
  if (advertise === undefined) return `${urlHost(host)}:${port}`;
  return /:\d+$/.test(advertise) ? advertise : `${advertise}:${port}`;
}

/** Host names by which clients may address this server. */
export function namesOf({ host, advertise }: ServerNames): string[] {
  return advertise === undefined ? [host] : [host, advertise.replace(/:\d+$/, '')];
}

/** A host as written in a URL that can be opened on this machine. */
function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
