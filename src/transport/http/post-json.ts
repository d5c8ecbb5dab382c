/**
 * One POST of JSON with a deadline and a bound on the answer. It follows no redirect: only the address that was given
 * is called.
 */

export interface JsonPost {
  url: string;
  body: string;
  headers: Readonly<Record<string, string>>;
  /** For connection, head and body of the answer together. */
  timeoutMs: number;
  maxBytes: number;
}

export interface Posted {
  status: number;
  text: string;
  /** What the server asks to wait before the next request. */
  retryAfterMs?: number;
}

/** @returns the answer whatever its status, or why there is none */
export async function postJson({
  url,
  body,
  headers,
  timeoutMs,
  maxBytes,
}: JsonPost): Promise<Posted | { fault: string }> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      signal,
    });
    const text = await boundedText(answer, maxBytes);
    if (text === undefined) return { fault: `an answer of more than ${maxBytes} bytes` };
    const seconds = Number(answer.headers.get('retry-after') ?? NaN);
    return { status: answer.status, text, ...(seconds >= 0 ? { retryAfterMs: seconds * 1000 } : {}) };
  } catch (error) {
    if (signal.aborted) return { fault: `no answer within ${timeoutMs / 1000} s` };
    return { fault: `no connection (${causeOf(error)})` };
  }
}

/** UTF-8 text of the body; undefined beyond `maxBytes`, and then the rest is not read. */
async function boundedText({ body }: Response, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += (chunk as Uint8Array).byteLength;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function causeOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
