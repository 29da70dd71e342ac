/**
 * The one way out: requests that the supervisor sends to other servers. Workers have no permission to do it.
 *
 * A request has a deadline, which includes the whole body of the answer, and a limit on that body. A redirect is
 * not followed: the operator named this server, and no other one.
 */
import { BargeError, typed } from "../error.ts";

const defaultTimeoutMs = 30_000;
const defaultMaxBytes = 1024 * 1024;

/** How long a kept connection may be idle, in ms. */
const maxIdleMs = 30_000;

/** Connections that are kept for the next requests to the same server. */
export class OutboundConnections implements Disposable {
  readonly client: Deno.HttpClient;

  /**
   * @param options.trust authorities to trust beside the system's, each in PEM
   * @param options.maxIdle the most idle connections
   */
  constructor(
    { trust = [], maxIdle }: { readonly trust?: readonly string[]; readonly maxIdle: number },
  ) {
    this.client = Deno.createHttpClient({
      caCerts: [...trust],
      poolMaxIdlePerHost: maxIdle,
      poolIdleTimeout: maxIdleMs,
    });
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

/** A request to another server. */
export interface OutboundRequest {
  /** An `http:` or `https:` address. */
  readonly url: string;
  /** Default: GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Authorities to trust beside the system's, each in PEM. */
  readonly trust?: readonly string[];
  /** Connections to use, with the authorities that they trust. Default: a connection of its own. */
  readonly connections?: OutboundConnections;
  /** Time for the whole exchange, in ms. Default: 30 s. */
  readonly timeoutMs?: number;
  /** The most bytes of the answer's body. Default: 1 MiB. */
  readonly maxBytes?: number;
  /** Cancels the request. */
  readonly signal?: AbortSignal;
}

/** The answer of another server, whatever its status. */
export interface OutboundAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * Sends a request, and returns the answer with its whole body.
 *
 * @returns the answer; a status of 400 and more is no failure here
 * @throws {BargeError} `usage`: the address is not one of HTTP; `unavailable`: no answer, no answer in time, or
 *   TLS failed; `protocol`: the body is longer than allowed; `interrupted`: canceled by the signal
 *
 * @example
 * ```ts
 * import { sendRequest } from "./request.ts";
 * await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("ok"));
 * const answer = await sendRequest({ url: `http://127.0.0.1:${server.addr.port}/` });
 * if (new TextDecoder().decode(answer.body) !== "ok") throw answer.status;
 * ```
 */
export async function sendRequest(request: OutboundRequest): Promise<OutboundAnswer> {
  const op = (request.method ?? "GET").toLowerCase();
  const facts = { op, path: request.url };
  if (!/^https?:$/.test(URL.parse(request.url)?.protocol ?? "")) {
    throw new BargeError("usage", "not an address of HTTP", facts);
  }
  const { timeoutMs = defaultTimeoutMs, maxBytes = defaultMaxBytes, trust = [] } = request;
  // Usually no connection is kept: requests are rare, and a kept one would hold a descriptor.
  using own = request.connections ? undefined : new OutboundConnections({ trust, maxIdle: 0 });
  const { client } = request.connections ?? own!;
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = request.signal ? AbortSignal.any([request.signal, deadline]) : deadline;
  try {
    const response = await fetch(request.url, {
      method: request.method ?? "GET",
      headers: request.headers,
      body: request.body,
      redirect: "manual",
      client,
      signal,
    });
    const body = await readAtMost(response, maxBytes);
    return { status: response.status, headers: response.headers, body };
  } catch (error) {
    if (signal.aborted) throw typed(signal.reason, facts);
    // The runtime reports every failed connection as a TypeError whose cause has the reason.
    if (!(error instanceof TypeError)) throw typed(error, facts);
    const why = error.cause instanceof Error ? error.cause.message : error.message;
    throw new BargeError("unavailable", withoutUrl(why, request.url), { ...facts, cause: error });
  }
}

/** Shortens the URL in a message to its host: the rest may be a secret, and `path` of the error has it. */
function withoutUrl(message: string, text: string): string {
  const { href, host } = new URL(text);
  return message.replaceAll(href, host);
}

async function readAtMost(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > maxBytes) {
      throw new BargeError("protocol", `the answer is longer than ${maxBytes} bytes`);
    }
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
