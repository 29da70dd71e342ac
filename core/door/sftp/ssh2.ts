/** Loads the package `ssh2` (RFC 4251 ff.), and types the parts of it that are used. */
import type { Buffer } from "node:buffer";
import crypto from "node:crypto";
import type { Duplex } from "node:stream";
import type { algorithms } from "./algorithms.ts";

/** Callbacks that answer a request; undefined when the client wants no answer. */
export type Answers<T> = [
  accept: (() => T | undefined) | undefined,
  reject: (() => void) | undefined,
];

interface ClientEvents {
  authentication: [AuthContext];
  session: [accept: () => SessionChannel, reject: () => void];
  error: [Error];
}

export interface Client {
  on<E extends keyof ClientEvents>(event: E, listener: (...args: ClientEvents[E]) => void): this;
  /** Sends a farewell and ends the connection. */
  end(): void;
}

/** An attempt to log in (RFC 4252). */
export interface AuthContext {
  readonly username: string;
  readonly method: "none" | "password" | "publickey" | "keyboard-interactive" | "hostbased";
  /** With the method `password`. */
  readonly password?: string;
  /** With `publickey`: the key and its signature; without a signature the client asks about the key. */
  readonly key?: { readonly algo: string; readonly data: Buffer };
  readonly signature?: Buffer;
  readonly blob?: Buffer;
  /** The digest of an RSA signature; undefined for SHA-1. */
  readonly hashAlgo?: string;
  accept(): void;
  reject(methods?: readonly string[]): void;
  /** With `keyboard-interactive` (RFC 4256). */
  prompt?(
    prompts: readonly { readonly prompt: string; readonly echo: boolean }[],
    answer: (answers: readonly string[] | Error) => void,
  ): void;
  once(event: "abort", listener: () => void): this;
}

/** An open channel whose purpose the client has not sent yet. */
export interface SessionChannel {
  on(
    event: "subsystem",
    listener: (...args: [...Answers<Channel>, { name: string }]) => void,
  ): this;
  on(event: "exec", listener: (...args: [...Answers<Channel>, { command: string }]) => void): this;
  on(event: "close", listener: () => void): this;
}

/** The bytes of a channel, and the ways to end it. */
export interface Channel extends Duplex {
  readonly stderr: Duplex;
  exit(status: number): void;
  close(): void;
}

interface ServerConfig {
  /** Private keys in OpenSSH's format, or in PEM. */
  readonly hostKeys: readonly string[];
  /** Behind `SSH-2.0-` in the first line. */
  readonly ident: string;
  readonly algorithms: typeof algorithms;
}

interface Server {
  /** Called when a client has sent its version. */
  on(event: "connection", listener: (client: Client, from: { readonly ip: string }) => void): this;
  injectSocket(socket: Duplex): void;
}

interface ParsedKey {
  readonly type: string;
  verify(data: Buffer, signature: Buffer, hash?: string): boolean | Error;
}

const ssh2 = await load();

// The deadlines of streams (socket.ts) detect clients that are gone, as at every door.
ssh2.Server.KEEPALIVE_CLIENT_INTERVAL = 0;

/** @throws {Error} for keys that can't be used */
export function makeServer({ hostKeys, ...config }: ServerConfig): Server {
  return new ssh2.Server({ ...config, hostKeys: hostKeys.flatMap(asOffered) });
}

/**
 * Returns a host key once for each algorithm to offer (RFC 8332). For a key of the type `ssh-rsa` the
 * package would always add the signature with SHA-1.
 */
function asOffered(text: string): { key: ParsedKey }[] {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw key;
  if (key.type !== "ssh-rsa") return [{ key }];
  return ["rsa-sha2-512", "rsa-sha2-256"].map((value) => ({
    key: Object.create(key, { type: { value } }),
  }));
}

/** @param key a blob as in RFC 4253, section 6.6. @returns undefined for any other */
export function parseKey(key: Buffer): ParsedKey | undefined {
  const parsed = ssh2.utils.parseKey(key);
  const one = Array.isArray(parsed) ? parsed[0] : parsed;
  return one instanceof Error ? undefined : one;
}

/**
 * Loads the package without its leak of ciphers. The runtime keeps a cipher's state until `final` is
 * called, which `ssh2` never does for stream ciphers: with ChaCha20 it makes five a packet, some
 * kilobytes a second. So the package gets functions that call `final`: for ChaCha20 after its only
 * piece, for other ciphers when they are garbage collected.
 */
// deno-lint-ignore no-explicit-any
async function load(): Promise<any> {
  const { createCipheriv, createDecipheriv } = crypto;
  const patched = crypto as unknown as Record<"createCipheriv" | "createDecipheriv", Create>;
  patched.createCipheriv = releasing(patched.createCipheriv);
  patched.createDecipheriv = releasing(patched.createDecipheriv);
  try {
    return (await import("ssh2")).default;
  } finally {
    Object.assign(crypto, { createCipheriv, createDecipheriv });
  }
}

interface StreamCipher {
  update(bytes: Buffer): Buffer;
  final?(): Buffer;
  setAutoPadding?(on: boolean): void;
}
type Create = (name: string, ...rest: unknown[]) => StreamCipher;

function releasing(create: Create): Create {
  return (name, ...rest) => {
    const cipher = create(name, ...rest);
    if (name === "chacha20") return { update: (bytes) => once(cipher, bytes) };
    if (!name.endsWith("-ctr")) return cipher;
    const held: StreamCipher = { update: (bytes) => cipher.update(bytes), setAutoPadding() {} };
    abandoned.register(held, cipher);
    return held;
  };
}

const abandoned = new FinalizationRegistry((cipher: StreamCipher) => void cipher.final?.());

function once(cipher: StreamCipher, bytes: Buffer): Buffer {
  const done = cipher.update(bytes);
  cipher.final?.();
  return done;
}
