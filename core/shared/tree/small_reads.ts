/** Reads small files, with one statement for the rows of all of them and one for their pieces. */
import { BargeError, typed } from "../../error.ts";
import type { SmallFile } from "../../storage/content.ts";
import { inParallel } from "../../storage/parallel.ts";
import { type Place, relative } from "../../storage/place.ts";
import type { Parts } from "../bucket/parts.ts";
import type { NodeRow } from "./node_rows.ts";
import { type Piece, piecesOfAll, readPiece } from "./pieces.ts";
import { SharedView } from "./view.ts";

/** The most files of one call whose bytes are read from the bucket at the same time. */
const maxParallel = 16;

/** The result for one file: see `Tree.readSmall`. */
type Outcome = SmallFile | BargeError | undefined;

/** Reads small files: see `Tree.readSmall`. */
export async function readSmall(
  parts: Parts,
  places: readonly Place[],
  maxBytes: number,
): Promise<Outcome[]> {
  const view = new SharedView(parts.db);
  await view.prefetch(places);
  let room = maxBytes;
  const rows = places.map((place) => {
    const row = view.node(place);
    if (!row || row.folder) return unreadable(place, row);
    if (row.size > room) return undefined;
    room -= row.size;
    return row;
  });
  const contents = rows.flatMap((row) => row && !isError(row) ? [row.content!] : []);
  const pieces = await piecesOfAll(parts.db, contents);
  const outcomes: Outcome[] = rows.map((row) => row && isError(row) ? row : undefined);
  await inParallel([...rows.entries()], maxParallel, async ([i, row]) => {
    if (row === undefined || isError(row)) return;
    outcomes[i] = await readFile(parts, row, pieces.get(row.content!) ?? []).catch(typed);
  });
  return outcomes;
}

/** Returns the error for a place without a file. */
export function unreadable(place: Place, row: NodeRow | undefined): BargeError {
  const path = relative(place);
  return row
    ? new BargeError("exists", "it is a folder", { path })
    : new BargeError("not-found", "there is no such file", { path });
}

function isError(row: NodeRow | BargeError): row is BargeError {
  return row instanceof BargeError;
}

async function readFile(
  parts: Parts,
  { size, modified, sha256 }: NodeRow,
  pieces: readonly Piece[],
): Promise<SmallFile> {
  const known = { modified, sha256: sha256!, undigested: null };
  const [first] = pieces;
  if (first?.size === size) return { ...known, bytes: await readPiece(parts, first) };
  const bytes = new Uint8Array(size);
  let read = 0;
  for (const piece of pieces) {
    bytes.set(await readPiece(parts, piece), piece.at);
    read += piece.size;
  }
  if (read === size) return { ...known, bytes };
  throw new BargeError("changed", "the file was removed, and its bytes are gone", {
    hint: "start again",
  });
}
