/** A request over HTTP: one GET, its body read to the end. Connections are the runtime's, and kept. */
import { Failed, failed, type Line } from "./connection.ts";

export interface HttpOptions {
  readonly url: string;
}

export function httpLines({ url }: HttpOptions): () => Promise<Line> {
  return () => Promise.resolve(new HttpLine(url));
}

class HttpLine implements Line {
  readonly survives = true;
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
      if (!response.ok) throw new Failed(`status ${response.status}`);
      return bytes;
    } catch (cause) {
      if (stop.signal.aborted) throw new Failed("late", { cause });
      throw cause instanceof TypeError ? ofFetch(cause) : failed(cause);
    } finally {
      this.#stop = undefined;
    }
  }

  cut(): void {
    this.#stop?.abort();
  }

  close(): void {
    this.#stop?.abort();
  }
}

/** Fetch tells all of its failures as a TypeError, with the reason in its words or its cause. */
function ofFetch(cause: TypeError): Failed {
  const words = `${cause.message} ${cause.cause ?? ""}`;
  if (/refused/i.test(words)) return new Failed("refused", { cause });
  if (/reset|broken pipe/i.test(words)) return new Failed("reset", { cause });
  if (/dns error|lookup/i.test(words)) return new Failed("name", { cause });
  if (/are blocked/i.test(words)) return new Failed("blocked", { cause });
  if (/too many open files|os error 24\b/i.test(words)) return new Failed("descriptors", { cause });
  if (/closed|incomplete|eof/i.test(words)) return new Failed("closed", { cause });
  return new Failed("other", { cause });
}
