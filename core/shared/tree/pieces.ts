/** The pieces of content: where its bytes lie in the bucket. */
import { createHash, type Hash } from "node:crypto";
import { BargeError } from "../../error.ts";
import { sha256Of } from "../bucket/digest.ts";
import { isMemoryShort, type PieceMemory, takeMemory } from "../bucket/memory.ts";
import { objectName } from "../bucket/objects.ts";
import type { Parts } from "../bucket/parts.ts";
import type { Reading } from "../../storage/content.ts";
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
/** The most pieces that are read ahead of the current one. */
const maxAhead = 4;

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

/**
 * Reads a piece, and compares its digest.
 *
 * @param memory for the bytes of a large piece. Default: fresh memory
 * @throws {BargeError} `io` for other bytes, or fewer; as Bucket.get
 */
export async function readPiece(
  parts: Pick<Parts, "bucket" | "packs">,
  piece: Piece,
  memory?: PieceMemory,
): Promise<Uint8Array> {
  const bytes = await fetchPiece(parts, piece, memory);
  if (piece.sha256 !== null && await sha256Of(bytes) !== piece.sha256) throw otherBytes();
  return bytes;
}

/** Reads a piece, and does not compare its digest. @throws {BargeError} `io` for fewer bytes; as Bucket.get */
async function fetchPiece(
  { bucket, packs }: Pick<Parts, "bucket" | "packs">,
  { object, start, size }: Piece,
  memory?: PieceMemory,
): Promise<Uint8Array> {
  const bytes = size <= smallPieceBytes
    ? await packs.read(object, start, size)
    : await bucket.get(objectName(object), { start, size }, memory);
  if (bytes.length !== size) throw otherBytes();
  return bytes;
}

function otherBytes(): BargeError {
  return new BargeError("io", "the object store returned other bytes than were stored", {
    hint: "run `barge verify`",
  });
}

/** The parts that {@link PieceReader} needs. */
type ReaderParts = Pick<Parts, "db" | "bucket" | "packs">;

/** A piece in memory, or a part of one. */
interface Held {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly memory: PieceMemory | undefined;
}

/** The digest of the parts of a piece that were read one after another, from its start to `end`. */
interface PartDigest {
  readonly hash: Hash;
  end: number;
}

/** A piece that is being read before its bytes are needed. */
interface Ahead {
  readonly piece: Piece;
  readonly held: Promise<Held>;
}

/**
 * Reads content from any position. It keeps one piece, and reads the next ones ahead, each with its digest
 * compared, unless the caller compares that of the whole: one after the first piece, and one more after each further piece in turn, since a reader of a
 * range needs few. Where memory is short, it reads one piece ahead, or small parts of pieces. The digest of a piece
 * whose parts are read from its start is compared before the last part is returned.
 */
export class PieceReader implements Disposable {
  readonly #parts: ReaderParts;
  readonly #content: number;
  readonly #verifies: boolean;
  #pieces: readonly Piece[] = [];
  #current: Held | undefined;
  /** In the order of the content. */
  #ahead: Ahead[] = [];
  /** The number of pieces that were read one after another. */
  #piecesInTurn = 0;
  #disposed = false;
  /** The digests of pieces that are read in parts, by the positions of the pieces. */
  readonly #partDigests = new Map<number, PartDigest>();
  /** Reads take turns: two that need the same piece at once would both fetch it. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: ReaderParts, content: number, { verifies = false }: Reading = {}) {
    this.#parts = parts;
    this.#content = content;
    this.#verifies = verifies;
  }

  /**
   * Returns bytes from a position on, at most to the end of their piece; undefined for a gap or the end. They are
   * valid until the next call.
   */
  async from(position: number): Promise<Uint8Array | undefined> {
    return await this.#inTurn(position, (bytes) => bytes);
  }

  /** Copies bytes from a position on, at most to the end of their piece. @returns their number; undefined as {@link from} */
  async copy(position: number, into: Uint8Array): Promise<number | undefined> {
    return await this.#inTurn(position, (bytes) => {
      const part = bytes.subarray(0, into.length);
      into.set(part);
      return part.length;
    });
  }

  /** Uses the bytes from a position on before a later call can take their memory. */
  #inTurn<T>(position: number, use: (bytes: Uint8Array) => T): Promise<T | undefined> {
    const turn = this.#turn.then(async () => {
      const held = await this.#holding(position);
      return held && use(held.bytes.subarray(position - held.at));
    });
    this.#turn = turn.catch(() => {/* reported to its caller */});
    return turn;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#current?.memory?.abandon();
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
    this.#dropAhead(this.#ahead.findIndex((ahead) => ahead.piece === piece));
    const next = this.#ahead.shift();
    this.#piecesInTurn = next ? this.#piecesInTurn + 1 : 1;
    const held = await (next?.held ?? this.#read(piece, position));
    if (this.#disposed) {
      held.memory?.abandon();
      return held;
    }
    this.#current = held;
    this.#readAhead(piece);
    return held;
  }

  async #read(piece: Piece, position: number): Promise<Held> {
    const memory = takeMemory(piece.size);
    if (memory || piece.size <= smallPieceBytes) {
      try {
        const read = this.#verifies ? fetchPiece : readPiece;
        return { at: piece.at, bytes: await read(this.#parts, piece, memory), memory };
      } catch (error) {
        memory?.[Symbol.dispose]();
        throw error;
      }
    }
    const { object, start, at, size } = piece;
    const part = { start: start + position - at, size: Math.min(partBytes, at + size - position) };
    const bytes = await this.#parts.bucket.get(objectName(object), part);
    if (bytes.length !== part.size) throw otherBytes();
    if (!this.#verifies) this.#checkPart(piece, position, bytes);
    return { at: position, bytes, memory: undefined };
  }

  /** Compares the digest of a piece once all of its parts were read in turn. @throws {BargeError} `io` */
  #checkPart(piece: Piece, position: number, bytes: Uint8Array): void {
    const { at, size, sha256 } = piece;
    if (position === at) {
      if (this.#partDigests.size > maxAhead) this.#partDigests.clear();
      this.#partDigests.set(at, { hash: createHash("sha256"), end: at });
    }
    const digest = this.#partDigests.get(at);
    if (digest?.end !== position) return;
    digest.hash.update(bytes);
    digest.end += bytes.length;
    if (digest.end < at + size) return;
    this.#partDigests.delete(at);
    if (sha256 !== null && digest.hash.digest("hex") !== sha256) throw otherBytes();
  }

  /** Begins to read the pieces after the current one. */
  #readAhead(piece: Piece): void {
    const first = this.#pieces.indexOf(piece) + 1;
    while (this.#current?.memory && this.#ahead.length < Math.min(this.#piecesInTurn, maxAhead)) {
      const next = this.#pieces[first + this.#ahead.length];
      if (!next || this.#ahead.length > 0 && isMemoryShort()) return;
      const held = this.#read(next, next.at);
      held.catch(() => {/* reported to the reader that gets there */});
      this.#ahead.push({ piece: next, held });
    }
  }

  /** Drops the first pieces that are read ahead. @param count -1: all of them */
  #dropAhead(count = -1): void {
    const drop = ({ memory }: Held) => memory?.[Symbol.dispose]();
    const dropped = this.#ahead.splice(0, count < 0 ? Infinity : count);
    for (const { held } of dropped) held.then(drop, () => {/* a failed read takes no memory */});
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
