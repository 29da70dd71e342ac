/** The pieces of content: where its bytes lie in the bucket. */
import { createHash, hash } from "node:crypto";
import { BargeError } from "../error.ts";
import type { Bucket } from "./bucket.ts";
import { objectName } from "./objects.ts";
import type { Statements } from "./postgres.ts";

/** The bytes [at, at + size) of the content: those of the object from `start` on. */
export interface Piece {
  readonly at: number;
  readonly size: number;
  readonly object: number;
  readonly start: number;
  /** The digest of these bytes, in hex; null for a part of what was written, before a commit. */
  readonly sha256: string | null;
}

/** The pieces that {@link PieceReader} reads from the database at once. */
const pieceBatch = 64;

const columns = `at, size, object, start, encode(sha256, 'hex') AS sha256`;

/** Returns all pieces of content, in their order. */
export async function piecesOf(db: Statements, content: number): Promise<Piece[]> {
  return await db.all<Piece>(
    `SELECT ${columns} FROM piece WHERE content = $1 ORDER BY at`,
    content,
  );
}

/** Writes pieces of content. */
export async function addPieces(
  db: Statements,
  pieces: readonly (Piece & { readonly content: number })[],
): Promise<void> {
  await db.all(
    `INSERT INTO piece (content, at, size, object, start, sha256)
     SELECT content, at, size, object, start, decode(sha256, 'hex')
     FROM jsonb_to_recordset($1::text::jsonb)
       AS p (content bigint, at bigint, size integer, object bigint, start integer, sha256 text)`,
    JSON.stringify(pieces),
  );
}

/** Reads a piece, and compares its digest. @throws {BargeError} `io` for other bytes; as Bucket.get */
export async function readPiece(bucket: Bucket, piece: Piece): Promise<Uint8Array> {
  const { object, start, size, sha256 } = piece;
  const bytes = await bucket.get(objectName(object), start, size);
  if (sha256 !== null && hash("sha256", bytes, "hex") !== sha256) {
    throw new BargeError("io", "the object store returned other bytes than were stored", {
      hint: "run `barge verify`",
    });
  }
  return bytes;
}

/** Reads content from any position. It keeps one piece, and reads the next one ahead. */
export class PieceReader {
  readonly #db: Statements;
  readonly #bucket: Bucket;
  readonly #content: number;
  #pieces: readonly Piece[] = [];
  #ahead: { readonly piece: Piece; readonly bytes: Promise<Uint8Array> } | undefined;
  #current: { readonly piece: Piece; readonly bytes: Uint8Array } | undefined;

  constructor(db: Statements, bucket: Bucket, content: number) {
    this.#db = db;
    this.#bucket = bucket;
    this.#content = content;
  }

  /** Returns bytes from a position to the end of their piece; undefined where no piece has it. */
  async from(position: number): Promise<Uint8Array | undefined> {
    const piece = await this.#pieceAt(position);
    if (!piece) return undefined;
    const bytes = await this.#bytes(piece);
    return bytes.subarray(position - piece.at);
  }

  async #bytes(piece: Piece): Promise<Uint8Array> {
    if (this.#current?.piece === piece) return this.#current.bytes;
    const ahead = this.#ahead?.piece === piece ? this.#ahead.bytes : readPiece(this.#bucket, piece);
    this.#ahead = undefined;
    const bytes = await ahead;
    this.#current = { piece, bytes };
    const next = this.#pieces[this.#pieces.indexOf(piece) + 1];
    if (next) {
      const bytes = readPiece(this.#bucket, next);
      bytes.catch(() => {/* reported to the reader that gets there */});
      this.#ahead = { piece: next, bytes };
    }
    return bytes;
  }

  async #pieceAt(position: number): Promise<Piece | undefined> {
    const holds = ({ at, size }: Piece) => at <= position && position < at + size;
    const known = this.#pieces.find(holds);
    if (known) return known;
    this.#pieces = await this.#db.all<Piece>(
      `SELECT ${columns} FROM piece WHERE content = $1 AND at >= coalesce(
         (SELECT max(at) FROM piece WHERE content = $1 AND at <= $2), 0)
       ORDER BY at LIMIT ${pieceBatch}`,
      this.#content,
      position,
    );
    return this.#pieces.find(holds);
  }
}

/** Computes the digest of the first bytes of content, in hex; gaps count as zeros. */
export async function digestPieces(
  reader: PieceReader,
  size: number,
  algorithm: "sha256" | "md5",
  onRead?: () => void,
  signal?: AbortSignal,
): Promise<string> {
  const digest = createHash(algorithm);
  for (let at = 0; at < size;) {
    signal?.throwIfAborted();
    const bytes = await reader.from(at);
    if (!bytes) throw new BargeError("io", "a piece of the content is missing");
    const part = bytes.subarray(0, size - at);
    digest.update(part);
    at += part.length;
    onRead?.();
  }
  return digest.digest("hex");
}
