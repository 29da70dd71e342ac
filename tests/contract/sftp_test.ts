/** The contract, at the SFTP door. */
import { twoNodes } from "./_cluster.ts";
import { Open, Type } from "../../core/door/sftp/packet.ts";
import { SftpPeer, SftpStatus, sshByKeyboard } from "../core/door/sftp/_peer.ts";
import type { Server } from "../_server.ts";
import { type DoorUnderTest, type Listed, Refused, type Visitor } from "./_door.ts";
import { keepsNothing } from "./_kept.ts";
import { endsLogins } from "./_revoked.ts";
import { makeKeyPair } from "../_key_pair.ts";
import { contract } from "./_suite.ts";

const { READ, WRITE, CREAT, TRUNC } = Open;
const piece = 32 * 1024;
const isFolder = (mode: number) => (mode & 0o170000) === 0o040000;

class SftpVisitor implements Visitor {
  constructor(readonly peer: SftpPeer) {}

  async put(path: string, bytes: Uint8Array): Promise<void> {
    const file = await told(this.peer.open(path, WRITE | CREAT | TRUNC));
    await this.#write(file, bytes, 0);
  }

  async get(path: string): Promise<Uint8Array> {
    const file = await told(this.peer.open(path, READ));
    const pieces: Uint8Array[] = [];
    for (let at = 0, read; (read = await this.peer.read(file, at, piece)).length > 0;) {
      pieces.push(read);
      at += read.length;
    }
    await this.peer.close(file);
    return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  }

  async list(path: string): Promise<Listed[]> {
    const names = await told(this.peer.names(path));
    return [...names].filter(([name]) => name !== "." && name !== "..")
      .map(([name, { mode, size }]) => ({
        ...{ name, type: isFolder(mode!) ? "dir" : "file", size: size! },
      }));
  }

  async mkdir(path: string): Promise<void> {
    await told(this.peer.ask(Type.MKDIR, (p) => p.text(path).attrs({})));
  }

  async remove(path: string): Promise<void> {
    const { mode } = await told(this.peer.stat(path));
    const type = isFolder(mode!) ? Type.RMDIR : Type.REMOVE;
    await told(this.peer.ask(type, (p) => p.text(path)));
  }

  async move(from: string, to: string): Promise<void> {
    const name = "posix-rename@openssh.com";
    await told(this.peer.extended(name, (p) => p.text(from).text(to)));
  }

  async cut(path: string, bytes: Uint8Array, sent: number): Promise<void> {
    const file = await told(this.peer.open(path, WRITE | CREAT | TRUNC));
    await this.#pieces(file, bytes.subarray(0, sent), 0);
    await this[Symbol.asyncDispose]();
  }

  async begin(path: string, bytes: Uint8Array, sent: number): Promise<() => Promise<void>> {
    const file = await told(this.peer.open(path, WRITE | CREAT | TRUNC));
    await this.#pieces(file, bytes.subarray(0, sent), 0);
    return () => this.#write(file, bytes, sent);
  }

  async resume(path: string, bytes: Uint8Array, offset: number): Promise<void> {
    const { size } = await told(this.peer.stat(path));
    if (size !== offset) throw new Error(`${size} bytes are there, not ${offset}`);
    await this.#write(await told(this.peer.open(path, WRITE | CREAT)), bytes, offset);
  }

  async left(): Promise<number> {
    const name = "statvfs@openssh.com";
    const { reader } = await told(this.peer.extended(name, (p) => p.text("/home")));
    return Array.from({ length: 5 }, () => reader.long())[4];
  }

  async sha256(path: string): Promise<string> {
    const { reader } = await told(this.peer.extended(
      "check-file-name",
      (p) => p.text(path).text("sha256").long(0).long(0).int(0),
    ));
    reader.text();
    reader.text();
    return reader.rest().toHex();
  }

  async #write(file: Uint8Array, bytes: Uint8Array, offset: number): Promise<void> {
    try {
      await this.#pieces(file, bytes, offset);
    } finally {
      await told(this.peer.close(file));
    }
  }

  async #pieces(file: Uint8Array, bytes: Uint8Array, offset: number): Promise<void> {
    for (let at = offset; at < bytes.length; at += piece) {
      await told(this.peer.write(file, at, bytes.subarray(at, at + piece)));
    }
  }

  async ended(): Promise<void> {
    await this.peer.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.peer[Symbol.asyncDispose]();
  }
}

/** Version 3 has one status for most failures. */
async function told<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw error instanceof SftpStatus ? new Refused(error.message) : error;
  }
}

const sftp: DoorUnderTest = {
  name: "sftp",
  args: ["--sftp", "127.0.0.1:0"],
  raw: true,
  // Version 3 has no status of its own for it: SSH_FX_PERMISSION_DENIED.
  notLoggedIn: /^3: /,
  makeKey() {
    const pair = makeKeyPair("ed25519");
    return { secret: pair.private, line: pair.public };
  },
  async visit(server: Server, username: string, password: string) {
    try {
      const secret = password.startsWith("-----BEGIN ") ? { privateKey: password } : { password };
      return new SftpVisitor(await SftpPeer.open(server.facts.sftp!, { username, ...secret }));
    } catch {
      throw new Refused("the login was refused");
    }
  },
  async visitWithCode(server, username, password, code) {
    try {
      const client = await sshByKeyboard(server.facts.sftp!, username, [password, code]);
      const peer = await SftpPeer.raw(client);
      await peer.init();
      return new SftpVisitor(peer);
    } catch {
      throw new Refused("the login was refused");
    }
  },
};

contract(sftp);
contract(sftp, twoNodes);
keepsNothing(sftp);
endsLogins(sftp);
