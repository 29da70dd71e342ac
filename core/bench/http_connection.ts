/**
 * Requests over HTTP: a GET whose body is read to its end. The runtime keeps the connections open.
 */
import { type Connection, type Open, RequestError, toRequestError } from "./connection.ts";

export function httpConnections(url: string): Open {
  return () => Promise.resolve(new HttpConnection(url));
}

class HttpConnection implements Connection {
  readonly reusable = true;
  readonly #url: string;
  #stop: AbortController | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  async exchange(): Promise<number> {
    const stop = this.#stop = new AbortController();
    try {
      const response = await fetch(this.#url, { signal: stop.signal });
      let bytes = 0;
      for await (const chunk of response.body ?? []) bytes += chunk.length;
      if (!response.ok) throw new RequestError(`status ${response.status}`);
      return bytes;
    } catch (cause) {
      if (stop.signal.aborted) throw new RequestError("late", { cause });
      throw cause instanceof TypeError ? fetchError(cause) : toRequestError(cause);
    } finally {
      this.#stop = undefined;
    }
  }

  abandon(): void {
    this.#stop?.abort();
  }

  close(): void {
    this.abandon();
  }
}

/**
 * Returns the failure of a fetch, which throws a TypeError with the reason in its text or cause.
 */
function fetchError(cause: TypeError): RequestError {
  const text = `${cause.message} ${cause.cause ?? ""}`;
  for (const [pattern, failure] of fetchFailures) {
    if (pattern.test(text)) return new RequestError(failure, { cause });
  }
  return new RequestError("other", { cause });
}

const fetchFailures = [
  [/refused/i, "refused"],
  [/reset|broken pipe/i, "reset"],
  [/dns error|lookup/i, "name"],
  [/are blocked/i, "blocked"],
  [/too many open files|os error 24\b/i, "descriptors"],
  [/closed|incomplete|eof/i, "closed"],
] as const;
