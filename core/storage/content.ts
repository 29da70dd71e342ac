/** The content of an open file. */
import type { Undigested } from "./entry.ts";

/** How a caller reads a file. */
export interface Reading {
  /**
   * True: the caller reads all bytes, and compares their digest with the stored one. Storage that keeps files in
   * parts then need not compare the digest of each part before it returns its bytes. Default: false.
   */
  readonly verifies?: boolean;
}

/** A file as it was when it was opened, also if it is replaced or removed meanwhile. */
export interface FileContent {
  readonly size: number;
  /** The offset at which the file was opened. */
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** The stored digest; null where none is stored, and it is computed as the bytes are read. */
  readonly sha256: string | null;
  /** The reason why no digest is stored; null where one is. */
  readonly undigested: Undigested | null;
  /** Returns the file's time as it is now, in ms since 1970: it may have been set since. */
  modifiedNow(): number;
  /** Moves to another offset. After that, `digest` works only where a digest is stored. */
  seek(offset: number): Promise<void>;
  /**
   * Reads the next bytes, never beyond `size`.
   *
   * @returns the number of bytes; 0 at the end
   * @throws {BargeError} `changed` when the file was cut short meanwhile
   */
  read(into: Uint8Array): Promise<number>;
  /**
   * Reads at a position, in bytes from the start. Calls run in their order. `read` and `digest` must
   * not be called after it.
   *
   * @returns the number of bytes; 0 at the end
   */
  readAt(position: number, into: Uint8Array): Promise<number>;
  /**
   * Yields the remaining bytes, or `length` of them, in pieces. A piece is valid until the next one is
   * requested.
   *
   * @param maxPieceBytes the largest piece
   * @throws {BargeError} as {@link read}
   */
  pieces(length?: number, maxPieceBytes?: number): AsyncGenerator<Uint8Array, void, void>;
  /** Returns the remaining bytes, or `length` of them, at once: for small files. */
  rest(length?: number): Uint8Array | Promise<Uint8Array>;
  /** Returns the SHA-256 of the whole file, in hex. All bytes must have been read. */
  digest(): string;
  close(): void;
}

/** A small file that was read at once. */
export interface SmallFile {
  readonly bytes: Uint8Array;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** The digest of these bytes: the stored one, if there is one. */
  readonly sha256: string;
  /** The reason why no digest is stored; null where one is. */
  readonly undigested: Undigested | null;
}
