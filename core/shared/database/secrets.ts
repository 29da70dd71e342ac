/**
 * Secrets that all nodes share: they are in the database, sealed with the key of the cluster, which each
 * node reads from a file. The database alone does not reveal them.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { BargeError } from "../../error.ts";
import type { Postgres } from "./postgres.ts";

const cipher = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;

export class Secrets {
  readonly #db: Postgres;
  readonly #key: Uint8Array;
  readonly #known = new Map<string, Promise<string>>();

  /** @param key 32 bytes */
  constructor(db: Postgres, key: Uint8Array) {
    this.#db = db;
    this.#key = key;
  }

  /**
   * Returns a secret, which the first call on any node makes.
   *
   * @param make makes the secret if there is none; by default from 256 random bits, in base64
   * @throws {BargeError} `fatal` where it was sealed with another key
   */
  async get(
    name: string,
    make: () => string | Promise<string> = () => randomBytes(32).toString("base64"),
  ): Promise<string> {
    const known = this.#known.get(name) ?? this.#read(name, make);
    this.#known.set(name, known);
    try {
      return await known;
    } catch (error) {
      this.#known.delete(name);
      throw error;
    }
  }

  /**
   * Returns a secret; undefined where it was not made yet.
   *
   * @throws {BargeError} as {@link get}
   */
  async find(name: string): Promise<string | undefined> {
    const sealed = await this.#sealed(name);
    return sealed && this.open(name, sealed);
  }

  /** Makes or replaces a secret. {@link get} of a process that has read it returns the former one. */
  async replace(name: string, text: string): Promise<void> {
    const sql = "INSERT INTO secret (name, sealed) VALUES ($1, $2::bytea) " +
      "ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed";
    await this.#db.all(sql, name, this.seal(name, text));
  }

  /** Removes a secret, if there is one. */
  async remove(name: string): Promise<void> {
    await this.#db.all("DELETE FROM secret WHERE name = $1", name);
  }

  async #read(name: string, make: () => string | Promise<string>): Promise<string> {
    let sealed = await this.#sealed(name);
    if (!sealed) {
      const sql = "INSERT INTO secret (name, sealed) VALUES ($1, $2::bytea) ON CONFLICT DO NOTHING";
      await this.#db.all(sql, name, this.seal(name, await make()));
      sealed = (await this.#sealed(name))!;
    }
    return this.open(name, sealed);
  }

  async #sealed(name: string): Promise<Uint8Array | undefined> {
    const sql = "SELECT sealed FROM secret WHERE name = $1";
    return (await this.#db.all<{ sealed: Uint8Array }>(sql, name))[0]?.sealed;
  }

  /** Seals a text that is stored elsewhere. @param name what it is, and whose; needed to open it */
  seal(name: string, text: string): Uint8Array {
    const nonce = randomBytes(nonceBytes);
    const sealing = createCipheriv(cipher, this.#key, nonce).setAAD(new TextEncoder().encode(name));
    const parts = [nonce, sealing.update(text, "utf8"), sealing.final(), sealing.getAuthTag()];
    return Uint8Array.fromHex(parts.map((part) => part.toString("hex")).join(""));
  }

  /** Opens a text that was sealed under a name. @throws {BargeError} `fatal` where it was sealed with another key */
  open(name: string, sealed: Uint8Array): string {
    const tag = sealed.subarray(-tagBytes);
    try {
      const opening = createDecipheriv(cipher, this.#key, sealed.subarray(0, nonceBytes))
        .setAAD(new TextEncoder().encode(name)).setAuthTag(tag);
      const text = opening.update(sealed.subarray(nonceBytes, -tagBytes), undefined, "utf8");
      return text + opening.final("utf8");
    } catch (cause) {
      throw new BargeError("fatal", "the secrets of the cluster were sealed with another key", {
        hint: "give every node the same --cluster-key",
        cause,
      });
    }
  }
}
