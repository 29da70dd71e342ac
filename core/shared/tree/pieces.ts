/** The pieces of content: where its bytes lie in the bucket. */
import { createHash, hash } from "node:crypto";
import { BargeError } from "../../error.ts";
import { takeMemory } from "../bucket/memory.ts";
import { objectName } from "../bucket/objects.ts";
import type { Parts } from "../bucket/parts.ts";
import type { Statements } from "../database/postgres.ts";

/** A piece: the bytes [at, at + size) of the content are the bytes of the object from `start` on. */
export interface Piece {
  readonly at: number;
  readonly size: number;
  readonly object: number;
  readonly start: number;
  /** The digest of these bytes, in hex; null for a part of a piece or zeros in a gap, until it is computed. */
  readonly sha256: string | null;
}

/** Pieces up to this size are read through {@link Packs}. */
const smallPieceBytes = 64 * 1024;
/** The part of a piece that is read at once where memory is short. */
const partBytes = 256 * 1024;
/** The pieces that {@link PieceReader} reads from the database at once. */
const pieceBatch = 64;

/** The columns of a {@link Piece}, in SQL. */
export const pieceColumns = `at, size, object, start, encode(sha256, 'hex') AS sha256`;

/** Returns all pieces of content, in their order. */
export async function piecesOf(db: Statements, content: number): Promise<Piece[]> {
  return await db.all<Piece>(
    `SELECT ${pieceColumns} FROM piece WHERE content = $1 ORDER BY at`,
    content,
  );
}

/** Returns the pieces of several contents, in their order, by content. */
export async function piecesOfAll(
  db: Statements,
  contents: readonly number[],
): Promise<Map<number, Piece[]>> {
  const rows = await db.all<Piece & { content: number }>(
    `SELECT content, ${pieceColumns} FROM piece
     WHERE content IN (SELECT value::bigint FROM jsonb_array_elements_text($1::text::jsonb))
     ORDER BY content, at`,
    JSON.stringify(contents),
  );
  return Map.groupBy(rows, ({ content }) => content);
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
export async function readPiece(
  { bucket, packs }: Pick<Parts, "bucket" | "packs">,
  { object, start, size, sha256 }: Piece,
): Promise<Uint8Array> {
  const bytes = size <= smallPieceBytes
    ? await packs.read(object, start, size)
    : await bucket.get(objectName(object), { start, size });
  if (sha256 !== null && hash("sha256", bytes, "hex") !== sha256) {
    throw new BargeError("io", "the object store returned other bytes than were stored", {
      hint: "run `barge verify`",
    });
  }
  return bytes;
}

/** The parts that reading needs. */
type Reading = Pick<Parts, "db" | "bucket" | "packs">;

/** A piece in memory, or a part of one. */
interface Held {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly memory: Disposable | undefined;
}

/**
 * Reads content from any position. It keeps one piece, and reads the next one ahead, each with its digest
 * compared. Where memory is short, it reads small parts of pieces, which have no digest of their own.
 */
export class PieceReader implements Disposable {
  readonly #parts: Reading;
  readonly #content: number;
  #pieces: readonly Piece[] = [];
  #current: Held | undefined;
  #ahead: { readonly piece: Piece; readonly held: Promise<Held> } | undefined;
  /** Reads take turns: two that need the same piece at once would both fetch it. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: Reading, content: number) {
    this.#parts = parts;
    this.#content = content;
  }

  /** Returns bytes from a position on, at most to the end of their piece; undefined for a gap or the end. */
  async from(position: number): Promise<Uint8Array | undefined> {
    const turn = this.#turn.then(() => this.#holding(position));
    this.#turn = turn.catch(() => {/* reported to its caller */});
    const held = await turn;
    return held?.bytes.subarray(position - held.at);
  }

  [Symbol.dispose](): void {
    this.#current?.memory?.[Symbol.dispose]();
    this.#dropAhead();
  }

  async #holding(position: number): Promise<Held | undefined> {
    const current = this.#current;
    if (current && current.at <= position && position < current.at + current.bytes.length) {
      return current;
    }
    const piece = await this.#pieceAt(position);
    if (!piece) return undefined;
    current?.memory?.[Symbol.dispose]();
    this.#current = undefined;
    if (this.#ahead?.piece !== piece) this.#dropAhead();
    const held = this.#ahead?.held ?? this.#read(piece, position);
    this.#ahead = undefined;
    this.#current = await held;
    this.#readAhead(piece);
    return this.#current;
  }

  async #read(piece: Piece, position: number): Promise<Held> {
    const memory = takeMemory(piece.size);
    if (memory || piece.size <= smallPieceBytes) {
      try {
        return { at: piece.at, bytes: await readPiece(this.#parts, piece), memory };
      } catch (error) {
        memory?.[Symbol.dispose]();
        throw error;
      }
    }
    const { object, start, at, size } = piece;
    const part = { start: start + position - at, size: Math.min(partBytes, at + size - position) };
    const bytes = await this.#parts.bucket.get(objectName(object), part);
    return { at: position, bytes, memory: undefined };
  }

  #readAhead(piece: Piece): void {
    const next = this.#pieces[this.#pieces.indexOf(piece) + 1];
    if (!next || !this.#current?.memory) return;
    const held = this.#read(next, next.at);
    held.catch(() => {/* reported to the reader that gets there */});
    this.#ahead = { piece: next, held };
  }

  #dropAhead(): void {
    const drop = ({ memory }: Held) => memory?.[Symbol.dispose]();
    this.#ahead?.held.then(drop, () => {/* a failed read takes no memory */});
    this.#ahead = undefined;
  }

  async #pieceAt(position: number): Promise<Piece | undefined> {
    const holds = ({ at, size }: Piece) => at <= position && position < at + size;
    const known = this.#pieces.find(holds);
    if (known) return known;
    this.#pieces = await this.#parts.db.all<Piece>(
      `SELECT ${pieceColumns} FROM piece WHERE content = $1 AND at >= coalesce(
         (SELECT max(at) FROM piece WHERE content = $1 AND at <= $2), 0)
       ORDER BY at LIMIT ${pieceBatch}`,
      this.#content,
      position,
    );
    return this.#pieces.find(holds);
  }
}

/**
 * Computes the digest of the first bytes of content, in hex.
 *
 * @throws {BargeError} `io` for a gap; as {@link readPiece}
 */
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
