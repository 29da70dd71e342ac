/** Checks pieces: whether their objects exist, and have their bytes. */
import { hash } from "node:crypto";
import { BargeError } from "../../error.ts";
import { objectName } from "../bucket/objects.ts";
import { Packs } from "../bucket/packs.ts";
import { type Piece, pieceColumns, readPiece } from "../tree/pieces.ts";
import type { Statements } from "../database/postgres.ts";
import type { Finding, VerifyRun } from "./run.ts";

const pagePieces = 256;
/** The sizes of objects that are remembered: pieces of one object follow each other. */
const maxSizes = 64;

type ContentPiece = Piece & { readonly content: number };

/** Yields the pieces of content, in their order. */
export async function* piecesInPages(
  { parts, options }: VerifyRun,
  content: number,
): AsyncGenerator<ContentPiece, void, void> {
  for (let last = -1;;) {
    options.signal?.throwIfAborted();
    const pieces = await parts.db.all<Piece>(
      `SELECT ${pieceColumns} FROM piece WHERE content = $1 AND at > $2::bigint
       ORDER BY at LIMIT ${pagePieces}`,
      content,
      last,
    );
    for (const piece of pieces) yield { ...piece, content };
    if (pieces.length < pagePieces) return;
    last = pieces.at(-1)!.at;
  }
}

/** Returns whether a piece is still recorded. */
export async function isRecorded(db: Statements, piece: ContentPiece): Promise<boolean> {
  const rows = await db.all(
    `SELECT 1 FROM piece WHERE content = $1 AND at = $2::bigint AND size = $3::integer
       AND object = $4::bigint AND start = $5::integer`,
    piece.content,
    piece.at,
    piece.size,
    piece.object,
    piece.start,
  );
  return rows.length > 0;
}

/** Returns whether the first byte of a piece is in another piece, too. */
export async function isOverlapped(
  db: Statements,
  { content, at }: ContentPiece,
): Promise<boolean> {
  const rows = await db.all(
    `SELECT 1 FROM piece JOIN piece AS other USING (content) WHERE piece.content = $1
       AND piece.at = $2::bigint AND other.at < piece.at AND other.at + other.size > piece.at LIMIT 1`,
    content,
    at,
  );
  return rows.length > 0;
}

/** The result of a check. */
interface Checked {
  /** The bytes; undefined where they were not read, or could not be. */
  readonly bytes?: Uint8Array;
  readonly finding?: Finding;
}

export class PieceCheck {
  readonly #run: VerifyRun;
  readonly #packs: Packs;
  readonly #sizes = new Map<number, number | undefined>();

  /** @param packs used by this run alone: others may hold bytes that were read before it */
  constructor(run: VerifyRun, packs: Packs) {
    this.#run = run;
    this.#packs = packs;
  }

  /** Checks a piece; twice where it seems to be wrong. */
  async check(piece: Piece): Promise<Checked> {
    if (!this.#run.options.contents) return await this.#checkSize(piece);
    await this.#run.admit(piece.size);
    const checked = await this.#read(piece, this.#packs);
    this.#run.read(checked.bytes?.length ?? 0);
    return checked.finding ? await this.#read(piece, new Packs(this.#run.parts.bucket)) : checked;
  }

  async #read(piece: Piece, packs: Packs): Promise<Checked> {
    const { bucket } = this.#run.parts;
    try {
      const bytes = await readPiece({ bucket, packs }, { ...piece, sha256: null });
      if (bytes.length < piece.size) return { finding: short };
      const damaged = piece.sha256 !== null && hash("sha256", bytes, "hex") !== piece.sha256;
      return damaged ? { bytes, finding: otherBytes } : { bytes };
    } catch (error) {
      if (!(error instanceof BargeError && error.kind === "io")) throw error;
      const size = await bucket.size(objectName(piece.object));
      return { finding: size === undefined ? missing(piece) : short };
    }
  }

  async #checkSize(piece: Piece): Promise<Checked> {
    const { object, start, size } = piece;
    if (!this.#sizes.has(object)) {
      await this.#run.admit(0);
      this.#sizes.set(object, await this.#run.parts.bucket.size(objectName(object)));
      if (this.#sizes.size > maxSizes) this.#sizes.delete(this.#sizes.keys().next().value!);
    }
    const stored = this.#sizes.get(object);
    if (stored === undefined) return { finding: missing(piece) };
    return stored < start + size ? { finding: short } : {};
  }
}

const short: Finding = { kind: "damaged", what: "an object has fewer bytes than were stored" };
const otherBytes: Finding = { kind: "damaged", what: "an object has other bytes than were stored" };

function missing({ at, size, object }: Piece): Finding {
  const what = `the bytes from ${at} to ${at + size} are lost: ${objectName(object)} is missing`;
  return { kind: "missing", what };
}
