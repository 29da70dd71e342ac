/**
 * One client of BARGE/1 (PROTOCOL.md), from hello to bye.
 *
 *   new -> greeted -> (challenged) -> logged in -> closed
 *
 * Requests are read, carried out and answered one after the other; only small uploads overlap
 * (window.ts). The door decides nothing: it parses, calls the session, and answers with what that
 * returns or throws. It ends when the client leaves, breaks the protocol, or stops moving.
 */
import { getLogger } from "@logtape/logtape";
import { BargeError, typed } from "../../error.ts";
import { type Stream } from "../../net/stream.ts";
import { type Body, encodeFrame } from "../../protocol/frame.ts";
import { failure, parseRequest } from "../../protocol/message.ts";
import { FrameReader } from "../../protocol/reader.ts";
import type { Challenge } from "../../session/login.ts";
import type { Session } from "../../session/session.ts";
import type { Store } from "../../session/store.ts";
import { Output } from "./output.ts";
import { verbs } from "./verbs.ts";
import { Window } from "./window.ts";

const log = getLogger(["barge", "native"]);

/** How long a client may be silent, in ms: before it has logged in, between requests, inside one, at the end. */
const patience = { stranger: 30_000, idle: 600_000, request: 60_000, linger: 2_000 } as const;

export class Connection {
  readonly store: Store;
  readonly stream: Stream;
  readonly reader: FrameReader;
  readonly output: Output;
  readonly window: Window;
  /** Aborted when the connection ends, for whatever reason. */
  readonly ended = new AbortController();
  greeted = false;
  challenge: Challenge | undefined;
  session: Session | undefined;
  #leaving = false;
  #busy = false;

  constructor(store: Store, stream: Stream) {
    this.store = store;
    this.stream = stream;
    this.output = new Output(stream);
    this.window = new Window((answer) => {
      this.output.queue(encodeFrame(answer));
      this.output.flush().catch(() => {/* the reader of requests finds out, too */});
    });
    this.reader = new FrameReader({
      read: async (into) => {
        await this.output.flush();
        return await stream.read(into);
      },
    });
  }

  /** Is a request under way? Else the connection may be closed at any time. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Closes after the request that is under way. */
  leave(): void {
    this.#leaving = true;
    if (!this.#busy) this.stream.close(new BargeError("unavailable", "the server is stopping"));
  }

  /** Serves the client until it is gone. Never throws. */
  async run(): Promise<void> {
    try {
      while (!this.#leaving && await this.#request());
      await this.window.drain();
      await this.output.flush();
      await this.#linger();
    } catch (error) {
      this.#report(error);
    } finally {
      this.ended.abort();
      await this.window.drain();
      this.reader[Symbol.dispose]();
      this.stream.close();
    }
  }

  /** Ends our side and reads away theirs: closing on unread bytes would take the last answer back. */
  async #linger(): Promise<void> {
    await this.stream.end();
    this.stream.patience = patience.linger;
    const buffer = new Uint8Array(16 * 1024);
    for (let left = 1024; left > 0 && await this.stream.read(buffer) !== null; left--);
  }

  /** Reads and answers one request. @returns whether there may be another */
  async #request(): Promise<boolean> {
    this.stream.patience = this.session ? patience.idle : patience.stranger;
    const frame = await this.reader.frame();
    if (frame === null) return false;
    this.#busy = true;
    try {
      this.stream.patience = patience.request;
      return await this.#answer(frame.value, frame.body);
    } finally {
      this.#busy = false;
    }
  }

  async #answer(value: Parameters<typeof parseRequest>[0], body: Body): Promise<boolean> {
    let unread = body !== undefined;
    try {
      const request = parseRequest(value);
      const verb = verbs[request.verb];
      this.#admit(request.verb, verb.login);
      if (!verb.overlaps) await this.window.drain();
      // The table pairs each verb with the handler of that very request.
      const handle = verb.handle as (
        c: Connection,
        r: typeof request,
        b: BodyState,
      ) => Promise<object | null>;
      const answer = await handle(this, request, { body, taken: () => unread = false });
      if (answer) this.output.queue(encodeFrame({ ok: true, ...answer }));
      if (this.output.full) await this.output.flush();
      return request.verb !== "bye";
    } catch (error) {
      if (this.stream.closed) throw error;
      const failed = this.#explain(error, value);
      await this.window.drain();
      this.output.queue(encodeFrame(failure(failed)));
      if (failed.kind === "protocol") return false;
      if (unread) await this.#skip();
      return true;
    }
  }

  /** Reads away a refused request's body, and the trailer behind it. */
  async #skip(): Promise<void> {
    await this.output.flush();
    await this.reader.skip();
    await this.reader.frame();
  }

  #admit(verb: string, login: boolean): void {
    if (!this.greeted && verb !== "hello") {
      throw new BargeError("protocol", "the first request must be hello", { op: verb });
    }
    if (login && !this.session) {
      throw new BargeError("unauthenticated", "log in first", { op: verb });
    }
  }

  /** A failure as the client is to see it, with the verb and path that it was about. */
  #explain(error: unknown, value: { readonly [field: string]: unknown }): BargeError {
    const text = (field: string) =>
      typeof value[field] === "string" ? value[field] as string : undefined;
    const facts = {
      op: text("verb")?.slice(0, 40),
      path: (text("path") ?? text("from"))?.slice(0, 3000),
    };
    try {
      return typed(error, facts);
    } catch (bug) {
      log.error("a bug in {op} {path}: {error}", { ...facts, error: bug });
      return new BargeError("io", "the server failed; its log says how", facts);
    }
  }

  #report(error: unknown): void {
    if (error instanceof BargeError) {
      log.debug("{peer}: {why}", { peer: this.stream.peer, why: `${error}` });
    } else log.error("{peer}: {error}", { peer: this.stream.peer, error });
  }
}

/** The body behind a request's frame, and how a handler says that it has read it. */
export interface BodyState {
  readonly body: Body;
  /** To be called by who reads the body and the trailer, before it begins. */
  readonly taken: () => void;
}
