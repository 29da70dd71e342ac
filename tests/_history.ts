/**
 * Clients of a cluster that put, get, move, copy and remove at random while its nodes are killed and its engines
 * fail, and a model of what each of their files may be.
 *
 * A client knows each of its files by its digest. A request without an answer may have been carried out, or may
 * be carried out later: its names are not used again, and at the end they must all be as before the request, or
 * all as after it. A request that was answered with a failure must have changed nothing.
 */
import assert from "node:assert/strict";
import { BargeError } from "../core/error.ts";
import type { FrameValue } from "../core/protocol/frame.ts";
import { type Bytes, eager, Peer, sha256 } from "./core/door/_peer.ts";
import type { Random } from "./_random.ts";

/** What all clients share. */
export interface History {
  /** The addresses of the nodes that run. */
  readonly addresses: () => readonly string[];
  readonly stopped: () => boolean;
  /** The numbers of outcomes, by request. */
  readonly counts: Map<string, number>;
  /** The digests of all that was sent to names in /public. */
  readonly published: Set<string>;
}

/** Digests by path; null where nothing is. */
type Digests = ReadonlyMap<string, string | null>;

/** A request without an answer. */
interface Doubt {
  readonly verb: string;
  readonly before: Digests;
  readonly after: Digests;
}

/** A request ended without an answer. */
class NoAnswer extends Error {}

const usedNames = 5;
const publicPaths = ["/public/p1", "/public/p2", "/public/p3"];
const maxSmallBytes = 6_000;
const largeBytes = 600_000;
const largeTries = 5;
const maxPauseMs = 150;

export class HistoryClient {
  readonly #history: History;
  readonly #token: string;
  readonly #random: Random;
  readonly #files = new Map<string, string | null>();
  readonly #doubts: Doubt[] = [];
  /** The requests that changed files, for messages. */
  readonly #journal: string[] = [];
  #names = 0;
  #peer: Peer | undefined;

  constructor(history: History, token: string, random: Random) {
    this.#history = history;
    this.#token = token;
    this.#random = random;
    while (this.#files.size < usedNames) this.#addName();
  }

  /** Sends requests until the history is stopped. @throws {Error} where a promise is broken */
  async run(): Promise<void> {
    while (!this.#history.stopped()) {
      try {
        await this.#step();
        if (this.#random.chance(0.1)) this.#disconnect();
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        this.#disconnect();
      }
      await pause(this.#random.below(maxPauseMs));
    }
    this.#disconnect();
  }

  /** Compares all files with what they may be, on a node that works. */
  async check(address: string): Promise<void> {
    using peer = await Peer.open(address, this.#token);
    for (const [path, digest] of this.#files) {
      assert.equal(await digestOf(peer, path), digest, path);
    }
    for (const { verb, before, after } of this.#doubts) {
      const found = new Map<string, string | null>();
      for (const path of before.keys()) found.set(path, await digestOf(peer, path));
      const states = [before, after].map((state) => JSON.stringify([...state]));
      const journal = [...before.keys()].map((path) => this.#journalOf(path));
      assert.ok(states.includes(JSON.stringify([...found])), `${verb}: ${[...found]}${journal}`);
    }
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const paths = [...this.#files.keys()];
    const [from, to] = [random.pick(paths), random.pick(paths)];
    const chance = random.next();
    if (chance < 0.3) return await this.#putSmall(from);
    if (chance < 0.4) return await this.#putLarge(from);
    if (chance < 0.6) return await this.#get(from);
    if (chance < 0.8) return await this.#publish(random.pick(publicPaths));
    const digest = this.#files.get(from)!;
    if (digest === null) return await this.#putSmall(from);
    if (chance < 0.87) return await this.#change({ verb: "remove", path: from }, [[from, null]]);
    if (from === to) return await this.#get(from);
    const request = { from, to, overwrite: "always" };
    if (chance < 0.94) {
      return await this.#change({ verb: "move", ...request }, [[from, null], [to, digest]]);
    }
    await this.#change({ verb: "copy", ...request }, [[to, digest]]);
  }

  async #putSmall(path: string): Promise<void> {
    const bytes = this.#content(1 + this.#random.below(maxSmallBytes));
    await this.#decide(
      "put",
      [[path, sha256(bytes)]],
      (peer) => exchange(peer, eager(path, bytes)),
    );
  }

  /** Puts a file of several pieces, and resumes at some node after each cut. */
  async #putLarge(path: string): Promise<void> {
    const bytes = this.#content(largeBytes);
    await this.#decide("put large", [[path, sha256(bytes)]], async () => {
      for (let tries = 1;; tries++) {
        try {
          const answer = await this.#sendLarge(await this.#connect(), path, bytes);
          // A failure says nothing of the tries before it.
          if (answer.ok !== true && tries > 1) throw new NoAnswer();
          return answer;
        } catch (error) {
          if (!(error instanceof NoAnswer) || tries === largeTries) throw error;
          this.#disconnect();
        }
      }
    });
  }

  async #sendLarge(peer: Peer, path: string, bytes: Bytes): Promise<FrameValue> {
    const go = await exchange(peer, { verb: "put", path, size: bytes.length });
    if (go.ok !== true) return go;
    const offered = Number(go.offset);
    const offset = go.prefix === sha256(bytes.subarray(0, offered)) ? offered : 0;
    if (offset > 0) this.#count("resumed");
    const rest = bytes.subarray(offset);
    const frame = { offset, body: rest.length };
    if (this.#random.chance(0.2)) {
      await exchange(peer, frame, rest.subarray(0, this.#random.below(rest.length)), "cut");
    }
    return await exchange(peer, frame, rest, { sha256: sha256(bytes) });
  }

  async #change(
    request: { readonly verb: string; readonly [field: string]: string },
    after: readonly (readonly [string, string | null])[],
  ): Promise<void> {
    await this.#decide(request.verb, after, (peer) => exchange(peer, request));
  }

  async #get(path: string): Promise<void> {
    const found = await this.#read(await this.#connect(), path);
    if (found === undefined) return;
    const wanted = this.#files.get(path);
    assert.equal(found, wanted, `get ${path}: ${found}, not ${wanted}${this.#journalOf(path)}`);
  }

  /** Writes, reads or removes a name that all clients write. */
  async #publish(path: string): Promise<void> {
    const peer = await this.#connect();
    const chance = this.#random.next();
    if (chance < 0.5) {
      const found = await this.#read(peer, path);
      assert.ok(
        !found || this.#history.published.has(found),
        `${path}: nobody has sent these bytes`,
      );
    } else if (chance < 0.95) {
      const bytes = this.#content(1 + this.#random.below(maxSmallBytes));
      this.#history.published.add(sha256(bytes));
      this.#count(`publish ${outcomeOf(await exchange(peer, eager(path, bytes)))}`);
    } else {
      this.#count(`unpublish ${outcomeOf(await exchange(peer, { verb: "remove", path }))}`);
    }
  }

  /** Reads a file. @returns its digest; null where it is missing; undefined where the node can't read it now */
  async #read(peer: Peer, path: string): Promise<string | null | undefined> {
    const answer = await exchange(peer, { verb: "get", path });
    this.#count(`get ${outcomeOf(answer)}`);
    if (answer.ok !== true) return outcomeOf(answer) === "not-found" ? null : undefined;
    const body = await orNoAnswer(() => peer.body());
    const trailer = await orNoAnswer(() => peer.answer());
    const digest = sha256(body);
    assert.equal(digest, answer.sha256, `get ${path}: other bytes than the answer announced`);
    assert.equal(digest, trailer.sha256, `get ${path}: other bytes than the trailer has`);
    return digest;
  }

  /**
   * Sends a request that changes files, and notes what they are, or may be, afterwards.
   *
   * @param after the digests of all files that it changes
   */
  async #decide(
    verb: string,
    after: readonly (readonly [string, string | null])[],
    send: (peer: Peer) => Promise<FrameValue>,
  ): Promise<void> {
    const peer = await this.#connect();
    const before = new Map(after.map(([path]) => [path, this.#files.get(path)!]));
    let outcome = "no answer";
    try {
      const answer = await send(peer);
      const reason = JSON.stringify(answer.error ?? "");
      const unknown = /outcome is not known|the file was copied/.test(reason);
      outcome = unknown ? "not known" : outcomeOf(answer);
      if (answer.ok === true) { for (const [path, digest] of after) this.#files.set(path, digest); }
      if (!unknown) return;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      this.#disconnect();
    } finally {
      this.#count(`${verb} ${outcome}`);
      const changes = after.map(([path, digest]) => `${path} ${digest}`).join(", ");
      this.#journal.push(`${new Date().toISOString()} ${verb} ${changes}: ${outcome}`);
    }
    this.#doubts.push({ verb, before, after: new Map(after) });
    for (const path of before.keys()) {
      this.#files.delete(path);
      this.#addName();
    }
  }

  /** Returns the connection, or opens one to a node that runs. */
  async #connect(): Promise<Peer> {
    while (!this.#peer) {
      if (this.#history.stopped()) throw new NoAnswer();
      const addresses = this.#history.addresses();
      if (addresses.length > 0) {
        // A node without its database refuses logins.
        this.#peer = await Peer.open(this.#random.pick(addresses), this.#token).catch(() =>
          undefined
        );
      }
      if (!this.#peer) await pause(maxPauseMs);
    }
    return this.#peer;
  }

  #disconnect(): void {
    this.#peer?.[Symbol.dispose]();
    this.#peer = undefined;
  }

  #journalOf(path: string): string {
    return this.#journal.filter((line) => line.includes(`${path} `)).map((line) => `\n${line}`)
      .join("");
  }

  #addName(): void {
    this.#files.set(`/home/f${this.#names++}`, null);
  }

  #content(length: number): Bytes {
    const bytes = new Uint8Array(length).fill(this.#random.below(256));
    bytes.set(this.#random.bytes(Math.min(length, 32)));
    return bytes;
  }

  #count(outcome: string): void {
    this.#history.counts.set(outcome, (this.#history.counts.get(outcome) ?? 0) + 1);
  }
}

/** Sends frames and bytes, and reads the answer. "cut" closes the connection in place of it. @throws {NoAnswer} */
async function exchange(peer: Peer, ...pieces: readonly (object | "cut")[]): Promise<FrameValue> {
  return await orNoAnswer(async () => {
    await peer.send(...pieces.filter((piece) => piece !== "cut"));
    if (pieces.at(-1) === "cut") {
      throw new BargeError("unavailable", "the client cuts the connection");
    }
    return await peer.answer();
  });
}

/** Runs an exchange. @throws {NoAnswer} where the connection ends before */
async function orNoAnswer<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const closed = error instanceof assert.AssertionError &&
      /closed the connection/.test(error.message);
    if (closed || error instanceof BargeError && error.kind === "unavailable") throw new NoAnswer();
    throw error;
  }
}

function outcomeOf(answer: FrameValue): string {
  return answer.ok === true ? "ok" : (answer.error as { kind: string }).kind;
}

async function digestOf(peer: Peer, path: string): Promise<string | null> {
  await peer.send({ verb: "get", path });
  const answer = await peer.answer();
  if (answer.ok !== true) {
    assert.equal(outcomeOf(answer), "not-found", JSON.stringify(answer));
    return null;
  }
  const digest = sha256(await peer.body());
  assert.equal((await peer.answer()).sha256, digest);
  return digest;
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
