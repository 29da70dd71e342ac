/** An HTTP receiver of events, which verifies each signature and fails as a test wants. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { until } from "../_observe.ts";

export interface Received {
  readonly id: string;
  readonly event: string;
  readonly path?: string;
  readonly from?: string;
  readonly account?: string | null;
  readonly sha256?: string;
  readonly [field: string]: unknown;
}

/** Returns the answer to an event: a status, with headers, or a promise of it. */
type Answer = (event: Received, attempt: number) => Response | Promise<Response>;

const took = () => new Response(null, { status: 204 });

export class Receiver implements AsyncDisposable {
  /** The secret of the webhook, as the server's environment has it. */
  readonly env = { BARGE_WEBHOOK_SECRET: `whsec_${btoa("0123456789".repeat(3))}` };
  /** All attempts, in the order of their arrival. */
  readonly attempts: Received[] = [];
  /** The events that it has taken, in the order of its answers. */
  readonly taken: Received[] = [];
  /** The most attempts that were under way at once. */
  maxConcurrent = 0;
  answer: Answer = took;
  #concurrent = 0;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(port = 0) {
    const options = { port, hostname: "127.0.0.1", onListen() {} };
    this.#server = Deno.serve(options, (request) => this.#receive(request));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/events`;
  }

  get args(): string[] {
    return ["--webhook", this.url];
  }

  /** Waits until it has taken an event. */
  async took(is: (event: Received) => boolean): Promise<Received> {
    return await until(() => this.taken.find(is));
  }

  /** Holds its answers to the first attempt of each event at a path until `release` is called. */
  hold(path: string): { readonly arrived: Promise<void>; release(): void } {
    const arrived = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const { answer } = this;
    this.answer = async (event, attempt) => {
      if (event.path !== path || attempt > 1) return await answer(event, attempt);
      arrived.resolve();
      await held.promise;
      return new Response();
    };
    return { arrived: arrived.promise, release: held.resolve };
  }

  /** Answers as at its start, and forgets all events. */
  forget(): void {
    this.answer = took;
    this.maxConcurrent = 0;
    for (const events of [this.attempts, this.taken]) events.length = 0;
  }

  paths(): (string | undefined)[] {
    return this.taken.map(({ path }) => path);
  }

  async #receive(request: Request): Promise<Response> {
    const body = await request.text();
    const header = (name: string) => request.headers.get(`webhook-${name}`)!;
    const signed = `${header("id")}.${header("timestamp")}.${body}`;
    const secret = Uint8Array.fromBase64(this.env.BARGE_WEBHOOK_SECRET.slice("whsec_".length));
    const expected = `v1,${createHmac("sha256", secret).update(signed).digest("base64")}`;
    assert.equal(header("signature"), expected);
    assert.ok(Math.abs(Number(header("timestamp")) - Date.now() / 1000) < 60);
    const event = JSON.parse(body) as Received;
    assert.equal(event.id, header("id"));
    this.attempts.push(event);
    this.maxConcurrent = Math.max(this.maxConcurrent, ++this.#concurrent);
    try {
      const number = this.attempts.filter(({ id }) => id === event.id).length;
      const response = await this.answer(event, number);
      if (response.ok) this.taken.push(event);
      return response;
    } finally {
      this.#concurrent--;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Returns the number of events that wait in a data directory. */
export function waitingEvents(data: string): number {
  using db = new DatabaseSync(`${data}/accounts.db`, { readOnly: true });
  return (db.prepare("SELECT count(*) AS n FROM event").get() as { n: number }).n;
}
