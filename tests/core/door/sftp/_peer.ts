/** An SFTP client for tests: SSH by the package `ssh2`, with packets that tests build. */
// Imported first, so that the package uses ciphers that free their state.
import "../../../../core/door/sftp/ssh2.ts";
import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import ssh2 from "ssh2";
import { PacketReader, PacketWriter, Status, Type } from "../../../../core/door/sftp/packet.ts";
import { parseAddress } from "../../../../core/net/address.ts";

export { ssh2 };

export interface Login {
  readonly username: string;
  readonly password?: string;
  readonly privateKey?: string;
}

/** An answer, read up to its id. */
export interface Reply {
  readonly type: number;
  readonly id: number;
  readonly reader: PacketReader;
}

/** A status in place of the expected answer. */
export class SftpStatus extends Error {
  constructor(readonly code: number, message: string) {
    super(`${code}: ${message}`);
  }
}

// deno-lint-ignore no-explicit-any
type SshClient = any;

/** The runtime keeps the AES-GCM cipher of a packet that is cut off. */
export const algorithms = { cipher: ["chacha20-poly1305@openssh.com"] };

/** Connects and logs in. @throws {Error} when the server refuses */
export function ssh(address: string, login: Login, options: object = {}): Promise<SshClient> {
  const { host, port } = parseAddress(address);
  const client = new ssh2.Client();
  return new Promise((resolve, reject) => {
    let failure = new Error("the server closed the connection");
    client.once("ready", () => resolve(client));
    client.once("close", () => reject(failure));
    client.on("error", (error: Error) => {
      failure = error;
      client.end();
    });
    client.connect({ host, port, ...login, readyTimeout: 60_000, algorithms, ...options });
  });
}

/**
 * Connects and logs in by keyboard-interactive alone.
 *
 * @param answers to the prompts, in their order
 * @throws {Error} when the server refuses
 */
export function sshByKeyboard(
  address: string,
  username: string,
  answers: readonly string[],
): Promise<SshClient> {
  const left = [...answers];
  const { host, port } = parseAddress(address);
  const client = new ssh2.Client();
  client.on("keyboard-interactive", (...args: unknown[]) => {
    const [, , , prompts, answer] = args as [
      ...[string, string, string, readonly unknown[]],
      (answers: string[]) => void,
    ];
    answer(prompts.map(() => left.shift() ?? ""));
  });
  return new Promise((resolve, reject) => {
    let failure = new Error("the server closed the connection");
    client.once("ready", () => resolve(client));
    client.once("close", () => reject(failure));
    client.on("error", (error: Error) => {
      failure = error;
      client.end();
    });
    const authHandler = ["none", "keyboard-interactive"];
    client.connect({ host, port, username, tryKeyboard: true, authHandler, algorithms });
  });
}

/** Waits until a client's connection is closed. */
export function closed(client: SshClient): Promise<void> {
  return new Promise((resolve) => client.once("close", () => resolve()));
}

export class SftpPeer implements AsyncDisposable {
  readonly client: SshClient;
  readonly channel: Duplex;
  #unread = new Uint8Array();
  readonly #replies: Uint8Array[] = [];
  #ended = false;
  #wake: (() => void) | undefined;
  #id = 0;

  private constructor(client: SshClient, channel: Duplex) {
    this.client = client;
    this.channel = channel;
    client.setNoDelay(true).setMaxListeners(0);
    channel.on("data", (bytes: Buffer) => this.#take(bytes));
    const end = () => {
      this.#ended = true;
      this.#notify();
    };
    channel.on("end", end).on("close", end);
    client.on("close", end);
  }

  /** Opens a channel of a logged-in client, and sends no INIT. */
  static raw(client: SshClient): Promise<SftpPeer> {
    return new Promise((resolve, reject) => {
      client.subsys("sftp", (error: Error | undefined, channel: Duplex) => {
        if (error) reject(error);
        else resolve(new SftpPeer(client, channel));
      });
    });
  }

  /** Logs in and sends INIT. */
  static async open(address: string, login: Login): Promise<SftpPeer> {
    const peer = await SftpPeer.raw(await ssh(address, login));
    await peer.init();
    return peer;
  }

  /** @returns the extensions that the server announces */
  async init(version = 3): Promise<Map<string, string>> {
    this.send(new PacketWriter(Type.INIT, version).done());
    const { type, id, reader } = await this.reply();
    assert.deepEqual([type, id], [Type.VERSION, 3]);
    const extensions = new Map<string, string>();
    while (reader.left > 0) extensions.set(reader.text(), reader.text());
    return extensions;
  }

  send(bytes: Uint8Array): void {
    this.channel.write(bytes);
  }

  /** Reads the next answer. @throws {Error} when the channel ends before */
  async reply(): Promise<Reply> {
    while (this.#replies.length === 0) {
      if (this.#ended) throw new Error("the channel has ended");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const packet = this.#replies.shift()!;
    const reader = new PacketReader(packet);
    return { type: reader.byte(), id: reader.int(), reader };
  }

  /** Waits until the server ends the channel, or the connection. */
  async end(): Promise<void> {
    while (!this.#ended) await new Promise<void>((resolve) => this.#wake = resolve);
  }

  /** Sends a request, and returns its answer. @throws {SftpStatus} for a status that is not OK */
  async ask(
    type: number,
    build: (packet: PacketWriter) => PacketWriter = (p) => p,
  ): Promise<Reply> {
    const id = ++this.#id;
    this.send(build(new PacketWriter(type, id)).done());
    const reply = await this.reply();
    assert.equal(reply.id, id);
    return checked(reply);
  }

  async open(path: string, flags: number, attrs = {}): Promise<Uint8Array> {
    const { reader } = await this.ask(Type.OPEN, (p) => p.text(path).int(flags).attrs(attrs));
    return reader.bytes().slice();
  }

  async write(handle: Uint8Array, offset: number, bytes: Uint8Array): Promise<void> {
    await this.ask(Type.WRITE, (p) => p.bytes(handle).long(offset).bytes(bytes));
  }

  /** @returns an empty array at the end */
  async read(handle: Uint8Array, offset: number, length: number): Promise<Uint8Array> {
    try {
      const { reader } = await this.ask(
        Type.READ,
        (p) => p.bytes(handle).long(offset).int(length),
      );
      return reader.bytes().slice();
    } catch (error) {
      if (error instanceof SftpStatus && error.code === Status.EOF) return new Uint8Array();
      throw error;
    }
  }

  async close(handle: Uint8Array): Promise<void> {
    await this.ask(Type.CLOSE, (p) => p.bytes(handle));
  }

  async stat(path: string) {
    return (await this.ask(Type.STAT, (p) => p.text(path))).reader.attrs();
  }

  /** @param onLine called with the line of `ls -l` of each */
  async names(
    path: string,
    onLine: (line: string) => void = () => {},
  ): Promise<Map<string, ReturnType<PacketReader["attrs"]>>> {
    const { reader } = await this.ask(Type.OPENDIR, (p) => p.text(path));
    const handle = reader.bytes().slice();
    const found = new Map();
    try {
      while (true) {
        const { reader } = await this.ask(Type.READDIR, (p) => p.bytes(handle));
        for (let left = reader.int(); left > 0; left--) {
          const name = reader.text();
          onLine(reader.text());
          found.set(name, reader.attrs());
        }
      }
    } catch (error) {
      if (!(error instanceof SftpStatus && error.code === Status.EOF)) throw error;
    }
    await this.close(handle);
    return found;
  }

  /** An extended request. */
  async extended(name: string, build: (packet: PacketWriter) => PacketWriter): Promise<Reply> {
    return await this.ask(Type.EXTENDED, (p) => build(p.text(name)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = closed(this.client);
    if (!this.client._sock?.destroyed) {
      this.client.destroy();
      await gone;
    }
  }

  #take(bytes: Uint8Array): void {
    let all = bytes;
    if (this.#unread.length > 0) {
      all = new Uint8Array(this.#unread.length + bytes.length);
      all.set(this.#unread);
      all.set(bytes, this.#unread.length);
    }
    while (all.length >= 4) {
      const length = new DataView(all.buffer, all.byteOffset).getUint32(0);
      if (all.length < 4 + length) break;
      this.#replies.push(all.slice(4, 4 + length));
      all = all.subarray(4 + length);
    }
    this.#unread = new Uint8Array(all);
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

export function checked(reply: Reply): Reply {
  if (reply.type !== Type.STATUS) return reply;
  const code = reply.reader.int();
  if (code === Status.OK) return reply;
  throw new SftpStatus(code, reply.reader.text());
}

/** Checks that a request is refused with a status. */
export async function refused(
  promise: Promise<unknown>,
  code: number,
  message?: RegExp,
): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert(error instanceof SftpStatus, String(error));
    assert.equal(error.code, code, error.message);
    if (message) assert.match(error.message, message);
    return true;
  });
}
