/**
 * The SFTP door's host keys, in the folder `ssh` of the data directory, readable by its owner alone:
 * an ed25519 key, and an RSA key for old clients, each with its public key in a second file.
 */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { BargeError, typed } from "../error.ts";
import { createFolder } from "../disk/atomic_folder.ts";
import { writeFingerprint } from "./fingerprint.ts";

const rsaBits = 3072;
const files = { ed25519: "ssh_host_ed25519_key", rsa: "ssh_host_rsa_key" } as const;
type Algorithm = keyof typeof files;
const algorithms = Object.keys(files) as Algorithm[];

export interface HostKey {
  /** `ssh-ed25519` or `ssh-rsa`. */
  readonly type: string;
  /** `SHA256:...`, as SSH clients show it. */
  readonly fingerprint: string;
  /** The path of the public key. */
  readonly file: string;
}

function folderOf(data: string): string {
  return `${data}/ssh`;
}

/**
 * Returns the host keys of a data directory; undefined when there are none yet.
 *
 * @throws {BargeError} `fatal` when they can't be read
 */
export async function readHostKeys(data: string): Promise<HostKey[] | undefined> {
  const keys: HostKey[] = [];
  for (const algorithm of algorithms) {
    const file = `${folderOf(data)}/${files[algorithm]}.pub`;
    try {
      const [type, base64] = (await Deno.readTextFile(file)).split(/\s+/);
      const digest = createHash("sha256").update(base64, "base64").digest();
      keys.push({ type, fingerprint: writeFingerprint(digest), file });
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound && keys.length === 0) return undefined;
      throw unreadable(cause, file);
    }
  }
  return keys;
}

/**
 * Returns the private keys, in OpenSSH's format.
 *
 * @throws {BargeError} `fatal` when they can't be read
 */
export async function readPrivateKeys(data: string): Promise<string[]> {
  return await Promise.all(algorithms.map(async (algorithm) => {
    const file = `${folderOf(data)}/${files[algorithm]}`;
    try {
      return await Deno.readTextFile(file);
    } catch (cause) {
      throw unreadable(cause, file);
    }
  }));
}

/**
 * Returns the host keys of a data directory, and makes them if there are none, which takes a second
 * or two.
 *
 * @throws {BargeError} `fatal` or `no-space` when they can't be read or written
 */
export async function ownHostKeys(data: string): Promise<HostKey[]> {
  const existing = await readHostKeys(data);
  if (existing) return existing;
  await createFolder(folderOf(data), await makeHostKeys());
  const keys = await readHostKeys(data);
  if (keys) return keys;
  const path = folderOf(data);
  throw new BargeError("fatal", "the host keys were removed again", { op: "read", path });
}

/** Makes a key of each kind. @returns their files by their names; those of public keys end with .pub */
export async function makeHostKeys(): Promise<Record<string, string>> {
  return Object.fromEntries((await Promise.all(algorithms.map(makePair))).flat());
}

/** Returns the facts of a public key. @param text as OpenSSH writes it */
export function describeHostKey(text: string, file: string): HostKey {
  const [type, base64] = text.split(/\s+/);
  const digest = createHash("sha256").update(base64, "base64").digest("base64");
  return { type, fingerprint: `SHA256:${digest.replace(/=+$/, "")}`, file };
}

/**
 * Returns whether both keys of a pair can be read. The package drops the first byte of an ed25519 key where
 * it is zero, as it is in one of 256.
 */
export async function isWholePair(pair: {
  readonly private: string;
  readonly public: string;
}): Promise<boolean> {
  const { default: ssh2 } = await import("ssh2");
  return [pair.private, pair.public].every((key) => !(ssh2.utils.parseKey(key) instanceof Error));
}

async function makePair(algorithm: Algorithm): Promise<[name: string, text: string][]> {
  const { default: ssh2 } = await import("ssh2");
  const generate = promisify<Algorithm, object, { private: string; public: string }>(
    ssh2.utils.generateKeyPair,
  );
  const options = { bits: algorithm === "rsa" ? rsaBits : 256, comment: "barge" };
  let pair = await generate(algorithm, options);
  while (!await isWholePair(pair)) pair = await generate(algorithm, options);
  return [[files[algorithm], pair.private], [`${files[algorithm]}.pub`, `${pair.public}\n`]];
}

function unreadable(cause: unknown, path: string): BargeError {
  return new BargeError("fatal", typed(cause).message, {
    op: "read host key",
    path,
    cause,
    hint:
      "restore it from a backup, or remove the folder: new keys are then made, and SSH clients " +
      "warn about a changed host",
  });
}
