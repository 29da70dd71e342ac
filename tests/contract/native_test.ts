/** The contract, at the native door. */
import { twoNodes } from "./_cluster.ts";
import type { Server } from "../_server.ts";
import { eager, Peer, type Piece, sha256 } from "../core/door/_peer.ts";
import { type DoorUnderTest, type Listed, Refused, type Visitor } from "./_door.ts";
import { keepsNothing } from "./_kept.ts";
import { endsLogins } from "./_revoked.ts";
import { contract } from "./_suite.ts";

class NativeVisitor implements Visitor {
  constructor(readonly peer: Peer) {}

  async #ask(...pieces: Piece[]) {
    await this.peer.send(...pieces);
    const answer = await this.peer.answer();
    if (answer.ok) return answer;
    const { kind, message } = answer.error as { kind: string; message: string };
    throw new Refused(`${kind}: ${message}`, kind === "over-quota");
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    if (bytes.length <= 256 * 1024) await this.#ask(eager(path, bytes));
    else await this.#large(path, bytes, 0);
  }

  async get(path: string): Promise<Uint8Array> {
    await this.#ask({ verb: "get", path });
    const bytes = await this.peer.body();
    await this.peer.answer();
    return bytes;
  }

  async list(path: string): Promise<Listed[]> {
    const { entries } = await this.#ask({ verb: "list", path }) as unknown as {
      entries: Listed[];
    };
    return entries.map(({ name, type, size }) => ({ name, type, size }));
  }

  async mkdir(path: string): Promise<void> {
    await this.#ask({ verb: "mkdir", path });
  }

  async remove(path: string): Promise<void> {
    await this.#ask({ verb: "remove", path });
  }

  async move(from: string, to: string): Promise<void> {
    await this.#ask({ verb: "move", from, to });
  }

  async cut(path: string, bytes: Uint8Array, sent: number): Promise<void> {
    await this.#ask({ verb: "put", path, size: bytes.length });
    await this.peer.send({ offset: 0, body: bytes.length }, bytes.subarray(0, sent));
    this.peer[Symbol.dispose]();
  }

  async begin(path: string, bytes: Uint8Array, sent: number): Promise<() => Promise<void>> {
    await this.#ask({ verb: "put", path, size: bytes.length });
    await this.peer.send({ offset: 0, body: bytes.length }, bytes.subarray(0, sent));
    return async () => {
      await this.#ask(bytes.subarray(sent), { sha256: sha256(bytes) });
    };
  }

  async resume(path: string, bytes: Uint8Array, offset: number): Promise<void> {
    await this.#large(path, bytes, offset);
  }

  async left(): Promise<number> {
    return (await this.#ask({ verb: "quota" })).left as number;
  }

  async sha256(path: string): Promise<string> {
    return (await this.#ask({ verb: "digest", path, algorithm: "sha256" })).digest as string;
  }

  async #large(path: string, bytes: Uint8Array, offset: number): Promise<void> {
    await this.#ask({ verb: "put", path, size: bytes.length });
    const rest = bytes.subarray(offset);
    await this.#ask({ offset, body: rest.length }, rest, { sha256: sha256(bytes) });
  }

  async stall(path: string): Promise<() => Promise<number>> {
    await this.#ask({ verb: "get", path });
    return async () => {
      let bytes = 0;
      try {
        for await (const piece of this.peer.reader.body()) bytes += piece.length;
      } catch { /* the connection is cut in it */ }
      return bytes;
    };
  }

  async ended(): Promise<void> {
    if (!this.peer.stream.closed) await this.peer.gone();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.peer[Symbol.dispose]();
    return Promise.resolve();
  }
}

const native: DoorUnderTest = {
  name: "native",
  args: [],
  raw: true,
  notLoggedIn: /^unauthenticated: /,
  async visit(server: Server, account: string, password: string) {
    const peer = await Peer.open(server.address);
    const [, id, secret] = /^barge_([^_]+)_(.+)$/.exec(password) ?? [];
    const answer =
      await (id ? peer.prove(id, secret, "token", account) : peer.prove(account, password));
    if (answer.ok) return new NativeVisitor(peer);
    peer[Symbol.dispose]();
    throw new Refused("the login was refused");
  },
  async visitWithCode(server, account, password, code) {
    const peer = await Peer.open(server.address);
    const proof = await peer.proof(account, password);
    await peer.send({ verb: "proof", proof, code });
    const answer = await peer.answer();
    if (answer.ok) return new NativeVisitor(peer);
    peer[Symbol.dispose]();
    throw new Refused((answer.error as { message: string }).message);
  },
};

contract(native);
contract(native, twoNodes);
keepsNothing(native);
endsLogins(native);
