/**
 * Reads small pieces. Files that came together lie in one object, and often leave together, too: the second
 * read from an object fetches all of it, and the next ones find it in memory. Objects never change.
 */
import type { Bucket } from "./bucket.ts";
import { objectName } from "./objects.ts";

/** The bytes of objects that are kept. */
const maxCachedBytes = 32 * 1024 * 1024;
/** The objects that were read once and are remembered. */
const maxSeen = 1000;

export class Packs {
  readonly #bucket: Bucket;
  /** In the order of their use. */
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
