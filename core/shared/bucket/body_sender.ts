/**
 * Sends requests that have a body to a store without TLS, by `node:http`. `fetch` takes three times the CPU time, since
 * it copies each body twice into fresh memory. With TLS, `node:https` needs a permission for the system's authorities
 * that workers do not have.
 *
 * The states of a request:
 *
 *   waiting      for one of the sockets; its signal removes it from the queue
 *   connecting   its signal destroys the socket, here and in the next three states
 *   sending      the head and a part of the body are sent; the kernel may take no more
 *   sent         no answer has come
 *   answered     the head of the answer has come
 *   done         the whole answer has come; if the whole body was sent, the socket serves the next request, else it is
 *                destroyed
 *
 * Invariants: the end of a request by its signal does not wait for the store. A request that waits opens no socket, so
 * one that has ended opens none later. A request is sent once: the caller repeats it, also where the store has closed a
 * socket that was used before.
 */
import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { Semaphore } from "../../sync/semaphore.ts";

const maxSockets = 64;
/** The most requests that wait for a socket. */
const maxWaiting = 4096;
/** The time after which an idle socket is closed, in ms. Stores wait longer: radosgw for 65 s. */
const maxIdleMs = 30_000;
/** The most bytes of an answer's body. Stores answer with nothing, or with a short error in XML. */
const maxAnswerBytes = 64 * 1024;

/** A request with a body. */
export interface BodyRequest {
  readonly method: string;
  readonly headers: Headers;
  /** It must not change until {@link BodySender.send} settles. */
  readonly body: Uint8Array;
  /** Ends the request. */
  readonly signal: AbortSignal;
}

export class BodySender implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, timeout: maxIdleMs });
  /** The agent's own queue keeps requests that have ended, and opens sockets for them. */
  readonly #sockets = new Semaphore(maxSockets, { waiters: maxWaiting });
  #closed = false;

  /**
   * Sends a request, and reads its whole answer. It follows no redirect.
   *
   * @param url an `http:` address
   * @returns the answer, whatever its status
   * @throws the reason of the signal; an Error where the connection fails, or the answer is too long or not HTTP
   *
   * @example
   * ```ts
   * import { BodySender } from "./body_sender.ts";
   * const address = { hostname: "127.0.0.1", port: 0, onListen() {} };
   * await using server = Deno.serve(address, async (request) => new Response(await request.text()));
   * using sender = new BodySender();
   * const answer = await sender.send(`http://127.0.0.1:${server.addr.port}/`, {
   *   method: "PUT",
   *   headers: new Headers(),
   *   body: new TextEncoder().encode("bytes"),
   *   signal: AbortSignal.timeout(10_000),
   * });
   * if (await answer.text() !== "bytes") throw new Error();
   * ```
   */
  async send(url: string, { method, headers, body, signal }: BodyRequest): Promise<Response> {
    const permit = await this.#sockets.holdAsync({ signal });
    let sent: ClientRequest;
    try {
      signal.throwIfAborted();
      if (this.#closed) throw new Error("the sender is closed");
      sent = request(url, {
        agent: this.#agent,
        method,
        headers: { ...Object.fromEntries(headers), "content-length": body.length },
      });
    } catch (error) {
      permit[Symbol.dispose]();
      throw error;
    }
    sent.on("close", () => permit[Symbol.dispose]());
    return await exchange(sent, body, signal);
  }

  /** Closes all sockets. Requests under way fail. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#agent.destroy();
  }
}

async function exchange(
  sent: ClientRequest,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<Response> {
  // Else Deno 2.9 repeats a request on a reused socket even if the request was destroyed: denoland/deno#36786.
  sent.reusedSocket = false;
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  sent.on("response", (answer) => responseOf(answer).then(resolve, reject)).on("error", reject);
  const cancel = () => reject(signal.reason);
  signal.addEventListener("abort", cancel);
  let isSocketFree = false;
  try {
    sent.end(body);
    const response = await promise;
    isSocketFree = sent.writableFinished;
    return response;
  } finally {
    signal.removeEventListener("abort", cancel);
    if (!isSocketFree) sent.destroy();
  }
}

async function responseOf(answer: IncomingMessage): Promise<Response> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const part of answer) {
    length += part.length;
    if (length > maxAnswerBytes) throw new Error("the answer is too long");
    parts.push(part);
  }
  const headers = Object.entries(answer.headers).map(([name, value]) => [name, `${value}`]);
  return new Response(length > 0 ? new Blob(parts) : null, {
    status: answer.statusCode,
    headers: headers as [string, string][],
  });
}
