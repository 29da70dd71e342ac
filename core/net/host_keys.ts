/**
 * The keys that a server proves itself with at its SFTP door, in the folder `ssh` of its data
 * directory, for its owner's eyes alone: an ed25519 one, and an RSA one for old clients, each with its
 * public half beside it. They are there together or not at all, as the certificate is
 * (own_certificate.ts).
 */
import { createHash } from "node:crypto";
import { BargeError, typed } from "../error.ts";
import { keepTogether } from "../disk/keep_together.ts";

const rsaBits = 3072;
const files = { ed25519: "ssh_host_ed25519_key", rsa: "ssh_host_rsa_key" } as const;
type Sort = keyof typeof files;
const sorts = Object.keys(files) as Sort[];

/** A host key, as people compare it. */
export interface HostKey {
  /** `ssh-ed25519` or `ssh-rsa`. */
  readonly type: string;
  /** `SHA256:...`, as SSH clients show it. */
  readonly fingerprint: string;
  /** The file with the public half. */
  readonly file: string;
}

function folderOf(data: string): string {
  return `${data}/ssh`;
}

/**
 * The host keys of a data directory, or undefined when none were made yet.
 *
 * @throws {BargeError} `fatal` when they can't be read
 */
export async function readHostKeys(data: string): Promise<HostKey[] | undefined> {
  const keys: HostKey[] = [];
  for (const sort of sorts) {
    const file = `${folderOf(data)}/${files[sort]}.pub`;
    try {
      const [type, base64] = (await Deno.readTextFile(file)).split(/\s+/);
      const digest = createHash("sha256").update(base64, "base64").digest("base64");
      keys.push({ type, fingerprint: `SHA256:${digest.replace(/=+$/, "")}`, file });
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound && keys.length === 0) return undefined;
      throw unreadable(cause, file);
    }
  }
  return keys;
}

/**
 * The private halves, in OpenSSH's format.
 *
 * @throws {BargeError} `fatal` when they can't be read
 */
export async function readPrivateKeys(data: string): Promise<string[]> {
  return await Promise.all(sorts.map(async (sort) => {
    const file = `${folderOf(data)}/${files[sort]}`;
    try {
      return await Deno.readTextFile(file);
    } catch (cause) {
      throw unreadable(cause, file);
    }
  }));
}

/**
 * The host keys of a data directory, made if there are none. That takes a second or two.
 *
 * @throws {BargeError} `fatal` or `no-space` when they can't be read or kept
 */
export async function ownHostKeys(data: string): Promise<HostKey[]> {
  const there = await readHostKeys(data);
  if (there) return there;
  const made = await Promise.all(sorts.map(makePair));
  await keepTogether(folderOf(data), Object.fromEntries(made.flat()));
  const keys = await readHostKeys(data);
  if (keys) return keys;
  throw new BargeError("fatal", "the keys are gone again", { op: "read", path: folderOf(data) });
}

async function makePair(sort: Sort): Promise<[name: string, text: string][]> {
  const { default: ssh2 } = await import("ssh2");
  const options = { bits: sort === "rsa" ? rsaBits : 256, comment: "barge" };
  const pair = await new Promise<{ private: string; public: string }>((resolve, reject) => {
    ssh2.utils.generateKeyPair(
      sort,
      options,
      (error: Error | null, pair: { private: string; public: string }) =>
        error ? reject(error) : resolve(pair),
    );
  });
  return [[files[sort], pair.private], [`${files[sort]}.pub`, `${pair.public}\n`]];
}

function unreadable(cause: unknown, path: string): BargeError {
  return new BargeError("fatal", typed(cause).message, {
    ...{ op: "read host key", path, cause },
    hint: "take it from a backup; or remove the folder, and clients will see a new server",
  });
}
