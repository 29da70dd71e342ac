/**
 * Many clients that put, get, list, move, remove and cut their connections at random, while workers
 * die and the server is killed; and what must hold whatever happens.
 *
 * A client has a folder of its own and knows what each name in it may be: one digest (or nothing)
 * where the last answer said so; the old and the new where no answer came. What was sent on a
 * connection that is cut may still be carried out: such a name is left alone until the server has
 * been killed, and then must be one of the two.
 */
import assert from "node:assert/strict";
import { BargeError } from "../core/error.ts";
import type { FrameValue } from "../core/protocol/frame.ts";
import { type Bytes, eager, join, Peer, sha256 } from "./core/door/_peer.ts";
import type { Random } from "./_random.ts";

/** A server of the soak; the next one, after a kill, has the next number. */
export interface Running {
  readonly address: string;
  readonly number: number;
}

/** What all clients share. */
export interface Soak {
  /** Waits for one that runs; undefined when the soak is over. */
  readonly server: () => Promise<Running | undefined>;
  /** How often what was done, and answered with what. */
  readonly counts: Map<string, number>;
  /** The digests of all that was ever sent to the shared names. */
  readonly shared: Set<string>;
}

/** What is under a name: a digest, or nothing. */
type What = string | null;

const names = ["a", "b", "c", "d", "e", "f"];
/** Names that all accounts write to; whose they are is chance. */
export const sharedNames: readonly string[] = ["/public/s1", "/public/s2", "/public/s3"];

export class Client {
  readonly folder: string;
  readonly #soak: Soak;
  readonly #token: string;
  readonly #random: Random;
  readonly #known = new Map<string, What>(names.map((name) => [name, null]));
  /** What those names may be of which no answer told. */
  readonly #unsure = new Map<string, Set<What>>();
  #server = 0;

  /** @param token of an account that several clients share */
  constructor(soak: Soak, number: number, token: string, random: Random) {
    this.folder = `/home/client${number}`;
    this.#soak = soak;
    this.#token = token;
    this.#random = random;
  }

  /** Until the soak is over. @throws {Error} when something is not as it must be */
  async run(): Promise<void> {
    for (let server; (server = await this.#soak.server());) {
      try {
        await this.#connection(server);
      } catch (error) {
        if (!isGone(error)) throw new Error(`${this.folder}: ${(error as Error).stack}`);
        this.#count("cut off");
        await new Promise((resolve) => setTimeout(resolve, this.#random.below(100)));
      }
    }
  }

  /** At the end, on a server that has just been started. @returns the sizes of its files, summed */
  async check(address: string): Promise<number> {
    using peer = await Peer.open(address, this.#token);
    await this.#settle(peer);
    const { size } = await this.#list(peer);
    for (const [name, what] of this.#known) if (what) await this.#get(peer, name, what);
    return size;
  }

  async #connection({ address, number }: Running): Promise<void> {
    using peer = await Peer.open(address, this.#token);
    if (number !== this.#server) {
      await peer.ask({ verb: "mkdir", path: this.folder, parents: true });
      await this.#settle(peer);
      this.#server = number;
    }
    for (let n = this.#random.below(15); n >= 0; n--) {
      if (await this.#soak.server() === undefined) return;
      await this.#step(peer);
      if (peer.stream.closed) return;
    }
  }

  /** Finds out what became of the names that nobody has told of. */
  async #settle(peer: Peer): Promise<void> {
    for (const [name, possible] of this.#unsure) {
      await peer.send({ verb: "stat", path: this.#path(name) });
      const answer = await peer.answer();
      const entry = answer.entry as { sha256: string } | null | undefined;
      const what = entry?.sha256 ?? null;
      const of = () => `${name} is ${what}, not ${[...possible].join(" or ")}`;
      assert.ok(entry?.sha256 !== null && possible.has(what), of());
      this.#known.set(name, what);
      this.#unsure.delete(name);
    }
  }

  async #step(peer: Peer): Promise<void> {
    const random = this.#random;
    const sure = names.filter((name) => !this.#unsure.has(name));
    const present = sure.filter((name) => this.#known.get(name));
    const chance = random.next();
    if (chance < 0.05) {
      await this.#list(peer);
    } else if (chance < 0.15) {
      await this.#share(peer);
    } else if (sure.length === 0) {
      await peer.ask({ verb: "quota" });
    } else if (chance < 0.4) {
      await this.#putSmall(peer, sure.slice(0, 1 + random.below(sure.length)));
    } else if (chance < 0.5) {
      await this.#putLarge(peer, random.pick(sure));
    } else if (present.length === 0) {
      await this.#putSmall(peer, [random.pick(sure)]);
    } else if (chance < 0.75) {
      const name = random.pick(present);
      await this.#get(peer, name, this.#known.get(name)!);
    } else if (chance < 0.85) {
      await this.#move(peer, random.pick(present), random.pick(sure));
    } else {
      const name = random.pick(present);
      const path = this.#path(name);
      await this.#change(peer, { verb: "remove", path }, new Map([[name, null]]));
    }
  }

  /** Several small files at once. */
  async #putSmall(peer: Peer, into: readonly string[]): Promise<void> {
    const files = into.map((name) => ({ name, bytes: this.#content() }));
    for (const { name, bytes } of files) this.#doubt(name, sha256(bytes));
    await this.#send(peer, join(...files.map(({ name, bytes }) => eager(this.#path(name), bytes))));
    for (const { name, bytes } of files) {
      this.#told(await peer.answer(), "put", name, sha256(bytes));
    }
  }

  async #putLarge(peer: Peer, name: string): Promise<void> {
    const path = this.#path(name);
    // Few contents, so that what was cut off is often taken up again.
    const bytes = new Uint8Array(400_000).fill(this.#random.below(2));
    this.#doubt(name, sha256(bytes));
    await peer.send({ verb: "put", path, size: bytes.length });
    const go = await peer.answer();
    if (!go.ok) return this.#told(go, "put large", name, null);
    const prefix = bytes.subarray(0, go.offset as number);
    const offset = go.prefix === sha256(prefix) ? prefix.length : 0;
    if (offset > 0) this.#count("resumed");
    const rest = bytes.subarray(offset);
    const trailer = { sha256: sha256(bytes) };
    await this.#send(peer, join({ offset, body: rest.length }, rest, trailer));
    this.#told(await peer.answer(), "put large", name, sha256(bytes));
  }

  async #move(peer: Peer, from: string, to: string): Promise<void> {
    const request = { verb: "move", from: this.#path(from), to: this.#path(to) };
    const after = new Map<string, What>(from === to ? [] : [[from, null]]);
    after.set(to, this.#known.get(from)!);
    await this.#change(peer, { ...request, overwrite: "always" }, after);
  }

  /** A request after which the names are those. */
  async #change(peer: Peer, request: object, after: Map<string, What>): Promise<void> {
    for (const [name, what] of after) this.#doubt(name, what);
    await this.#send(peer, join(request));
    const answer = await peer.answer();
    const { verb } = request as { verb: string };
    for (const [name, what] of after) this.#told(answer, verb, name, what);
  }

  async #get(peer: Peer, name: string, what: string): Promise<void> {
    const answer = await peer.ask({ verb: "get", path: this.#path(name) });
    assert.equal(answer.sha256, what, `${name} as get tells`);
    assert.equal(sha256(await peer.body()), what, `${name} as it is read`);
    assert.equal((await peer.answer()).sha256, what);
    this.#count("get ok");
  }

  async #list(peer: Peer): Promise<{ size: number }> {
    const found = new Map<string, string | null>();
    let size = 0;
    await peer.send({ verb: "list", path: this.folder, recursive: false });
    for (let more = true; more;) {
      const answer = await peer.answer();
      assert.equal(answer.ok, true, JSON.stringify(answer));
      for (const entry of answer.entries as { name: string; size: number; sha256: string }[]) {
        found.set(entry.name, entry.sha256);
        size += entry.size;
      }
      more = answer.more as boolean;
    }
    for (const [name, what] of this.#known) {
      const is = found.get(name) ?? null;
      if (!this.#unsure.has(name)) assert.equal(is, what, `${name} as list tells`);
    }
    this.#count("list ok");
    return { size };
  }

  /** A name that everyone writes to: what is there is whole, whoever wrote it. */
  async #share(peer: Peer): Promise<void> {
    const path = this.#random.pick(sharedNames);
    if (this.#random.chance(0.5)) {
      const bytes = this.#content();
      this.#soak.shared.add(sha256(bytes));
      await peer.send(eager(path, bytes));
      const answer = await peer.answer();
      return this.#count(`share ${kindOf(answer)}`);
    }
    await peer.send({ verb: "get", path });
    const answer = await peer.answer();
    if (!answer.ok) return this.#count(`shared get ${kindOf(answer)}`);
    const digest = sha256(await peer.body());
    assert.equal((await peer.answer()).sha256, digest);
    assert.ok(this.#soak.shared.has(digest), `${path}: nobody has sent that`);
    if (answer.sha256 !== null) assert.equal(answer.sha256, digest);
    this.#count("shared get ok");
  }

  /** Sends all, or cuts the connection on the way, or behind it. */
  async #send(peer: Peer, bytes: Bytes): Promise<void> {
    if (!this.#random.chance(0.08)) return await peer.send(bytes);
    const part = this.#random.chance(0.3) ? bytes.length : this.#random.below(bytes.length);
    await peer.send(bytes.subarray(0, part));
    peer.stream.close();
    throw new BargeError("unavailable", "cut off by the client itself");
  }

  #doubt(name: string, what: What): void {
    this.#unsure.set(name, new Set([this.#known.get(name)!, what]));
  }

  #told(answer: FrameValue, verb: string, name: string, what: What): void {
    this.#count(`${verb} ${kindOf(answer)}`);
    if (answer.ok) this.#known.set(name, what);
    this.#unsure.delete(name);
  }

  #path(name: string): string {
    return `${this.folder}/${name}`;
  }

  #content(): Bytes {
    return this.#random.bytes(1 + this.#random.below(6000));
  }

  #count(what: string): void {
    this.#soak.counts.set(what, (this.#soak.counts.get(what) ?? 0) + 1);
  }
}

function kindOf(answer: FrameValue): string {
  return answer.ok ? "ok" : (answer.error as { kind: string }).kind;
}

/** The server was killed, a worker died, or the client cut the connection itself. */
function isGone(error: unknown): boolean {
  if (error instanceof assert.AssertionError) return /closed the connection/.test(error.message);
  return error instanceof BargeError && error.kind === "unavailable" &&
    !/(sent|read) nothing/.test(error.message);
}
