/**
 * Reads small pieces. Files that were uploaded together share an object, and are often read together, too.
 * The second read from an object fetches all of it, and later reads find it in memory. Objects never change.
 */
import type { Bucket } from "./bucket.ts";
import { objectName } from "./objects.ts";

/** The most bytes of objects that are kept in memory. */
const maxCachedBytes = 32 * 1024 * 1024;
/** The most objects that are remembered as read once. */
const maxSeen = 1000;

export class Packs {
  readonly #bucket: Bucket;
  /** Objects by their ids, the least recently used first. */
  readonly #cached = new Map<number, Promise<Uint8Array>>();
  readonly #sizes = new Map<number, number>();
  readonly #seen = new Set<number>();
  #bytes = 0;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /** Reads a part of an object. @throws {BargeError} as Bucket.get */
  async read(object: number, start: number, size: number): Promise<Uint8Array> {
    const cached = this.#cached.get(object);
    if (!cached && !this.#isSecond(object)) {
      return await this.#bucket.get(objectName(object), { start, size });
    }
    const bytes = await (cached ?? this.#fetch(object));
    this.#use(object);
    return bytes.subarray(start, start + size);
  }

  #isSecond(object: number): boolean {
    if (this.#seen.delete(object)) return true;
    this.#seen.add(object);
    if (this.#seen.size > maxSeen) this.#seen.delete(this.#seen.values().next().value!);
    return false;
  }

  #fetch(object: number): Promise<Uint8Array> {
    const fetched = this.#bucket.get(objectName(object));
    this.#cached.set(object, fetched);
    fetched.then((bytes) => {
      this.#sizes.set(object, bytes.length);
      this.#bytes += bytes.length;
      for (const old of this.#cached.keys()) {
        if (this.#bytes <= maxCachedBytes) break;
        this.#drop(old);
      }
    }, () => this.#cached.delete(object));
    return fetched;
  }

  #use(object: number): void {
    const cached = this.#cached.get(object);
    if (!cached) return;
    this.#cached.delete(object);
    this.#cached.set(object, cached);
  }

  #drop(object: number): void {
    this.#cached.delete(object);
    this.#bytes -= this.#sizes.get(object) ?? 0;
    this.#sizes.delete(object);
  }
}
