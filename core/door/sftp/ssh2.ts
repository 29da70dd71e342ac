/** Loads the package `ssh2` (RFC 4251 ff.), and types the parts of it that are used. */
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import ciphers from "ssh2/lib/protocol/crypto.js";
import packets from "ssh2/lib/protocol/utils.js";
import type { algorithms } from "./algorithms.ts";
import { AesCtrCipher, AesCtrDecipher } from "./cipher/aes_ctr.ts";
import { AesGcmCipher, AesGcmDecipher } from "./cipher/aes_gcm.ts";
import { ChaChaCipher, ChaChaDecipher } from "./cipher/chacha.ts";
import type {
  CipherConfig,
  DecipherConfig,
  PacketCipher,
  PacketDecipher,
} from "./cipher/packet_cipher.ts";
import { loadPoly1305 } from "./cipher/poly1305.ts";

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
  on(event: "shell", listener: (...args: Answers<Channel>) => void): this;
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

/** SSH_MSG_USERAUTH_BANNER */
const bannerMessage = 53;

/**
 * Sends a line that the client shows, during an attempt to log in (RFC 4252, section 5.4). The package itself sends
 * a banner only before the first attempt.
 */
export function sendBanner(context: AuthContext, line: string): void {
  // deno-lint-ignore no-explicit-any
  const { _protocol: protocol } = context as any;
  const { write } = protocol._packetRW;
  const text = Buffer.from(`${line}\r\n`);
  const start = write.allocStart;
  const packet: Buffer = write.alloc(1 + 4 + text.length + 4);
  packet[start] = bannerMessage;
  packet.writeUInt32BE(text.length, start + 1);
  packet.set(text, start + 5);
  packet.writeUInt32BE(0, start + 5 + text.length); // no language
  packets.sendPacket(protocol, write.finalize(packet));
}

/**
 * Loads the package with the ciphers of this door. Its own ones take twice as long, and do not free the
 * state of ChaCha20 and AES-CTR.
 */
// deno-lint-ignore no-explicit-any
async function load(): Promise<any> {
  ciphers.createCipher = makeCipher;
  ciphers.createDecipher = makeDecipher;
  await loadPoly1305();
  return (await import("ssh2")).default;
}

function makeCipher(config: CipherConfig): PacketCipher {
  const { sslName } = config.outbound.cipherInfo;
  if (sslName === "chacha20") return new ChaChaCipher(config);
  return sslName.endsWith("-gcm") ? new AesGcmCipher(config) : new AesCtrCipher(config);
}

function makeDecipher(config: DecipherConfig): PacketDecipher {
  const { sslName } = config.inbound.decipherInfo;
  if (sslName === "chacha20") return new ChaChaDecipher(config);
  return sslName.endsWith("-gcm") ? new AesGcmDecipher(config) : new AesCtrDecipher(config);
}
