/**
 * Checks the content of files and of partial uploads: its pieces, and their bytes.
 *
 * The content of a file never changes, and its pieces stay while a file has it. A file that has lost its
 * content does not get it back. So if a file still has content that was found to be wrong, it had that
 * content during the whole check, and no change under way explains the finding. The pieces of an upload do
 * change, so each piece that seems wrong is looked up again.
 */
import { createHash, hash } from "node:crypto";
import { decodePath } from "../database/name.ts";
import { Packs } from "../bucket/packs.ts";
import type { Statements } from "../database/postgres.ts";
import { isOverlapped, isRecorded, PieceCheck, piecesInPages } from "./pieces.ts";
import type { Finding, VerifyRun } from "./run.ts";

const pageContents = 256;
const pageOwners = 256;
/** The contents that are read at the same time: each holds one piece in memory. */
const defaultReaders = 4;

interface ContentRow {
  readonly id: number;
  /** The number of bytes; null until all have arrived. */
  readonly size: number | null;
  readonly sha256: string | null;
  /** The number of files that have it. */
  readonly files: number;
  /** Whether it is the content of a partial upload. */
  readonly partial: boolean;
  /** The path of one of these files, as {@link pathColumn}; null where there is none. */
  readonly path: string | null;
}

/** Checks all content that a file or an upload has. Content of several files is read once. */
export async function verifyContents(run: VerifyRun): Promise<void> {
  const check = new PieceCheck(run, new Packs(run.parts.bucket));
  const file = "FROM node WHERE node.content = page.id";
  const rows = run.rows<ContentRow>(
    "content",
    pageContents,
    `page.size, encode(page.sha256, 'hex') AS sha256, (SELECT count(*) ${file}) AS files,
     EXISTS (SELECT 1 FROM upload WHERE upload.content = page.id) AS partial,
     (SELECT ${pathColumn} ${file} LIMIT 1) AS path`,
    "",
    run.options.after,
  );
  const { readers: maxReaders = defaultReaders, onChecked } = run.options;
  let failed = false;
  const readers = Array.from({ length: maxReaders }, async () => {
    try {
      for (let next; !failed && !(next = await rows.next()).done;) {
        await verifyContent(run, check, next.value);
        await onChecked?.(next.value.id, next.value.files);
      }
    } catch (error) {
      failed = true;
      throw error;
    }
  });
  const results = await Promise.allSettled(readers);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

async function verifyContent(run: VerifyRun, check: PieceCheck, content: ContentRow) {
  const { id, size, files, partial, path } = content;
  if (files === 0 && !partial) return; // the collector removes it
  const { onEvent, contents } = run.options;
  const start = (skipped: number) =>
    path !== null && onEvent?.({ type: "start", path: pathOf(path), skipped });
  if (files > 0) start(contents ? 0 : size ?? 0);
  const finding = files > 0
    ? await checkFile(run, check, content)
    : await checkUpload(run, check, id);
  if (finding) await reportOwners(run, id, files > 0 ? "node" : "upload", finding);
  for (let i = 0; i < files; i++) {
    if (i > 0) start(size ?? 0);
    run.done();
  }
}

/** Checks the content of files. @returns the first thing that is wrong */
async function checkFile(
  run: VerifyRun,
  check: PieceCheck,
  { id, size, sha256 }: ContentRow,
): Promise<Finding | undefined> {
  const digest = createHash("sha256");
  let damage: Finding | undefined;
  let end = 0;
  for await (const piece of piecesInPages(run, id)) {
    if (piece.at > end) return lost(end, piece.at);
    if (piece.at < end) return overlapped(piece.at);
    const { bytes, finding } = await check.check(piece);
    if (!bytes && finding) return finding;
    damage ??= finding;
    if (bytes) digest.update(bytes);
    end += piece.size;
  }
  if (end < (size ?? 0)) return lost(end, size!);
  if (end > (size ?? end)) return { kind: "damaged", what: `has bytes beyond its end, ${size}` };
  if (!run.options.contents) return undefined;
  const found = digest.digest("hex");
  if (!damage && (sha256 === null || found === sha256)) return undefined;
  const what = "is damaged: its bytes are not those of its digest";
  return { kind: "damaged", what, expected: sha256, found };
}

/** Checks the content of a partial upload, which may have gaps, and may change meanwhile. */
async function checkUpload(
  run: VerifyRun,
  check: PieceCheck,
  content: number,
): Promise<Finding | undefined> {
  const { db } = run.parts;
  let end = 0;
  for await (const piece of piecesInPages(run, content)) {
    if (piece.at < end && await isOverlapped(db, piece)) return overlapped(piece.at);
    const { bytes, finding } = await check.check(piece);
    if (finding && await isRecorded(db, piece)) {
      const found = bytes && hash("sha256", bytes, "hex");
      return { ...finding, ...(found && { expected: piece.sha256, found }) };
    }
    end = Math.max(end, piece.at + piece.size);
  }
  return undefined;
}

function lost(from: number, to: number): Finding {
  return { kind: "missing", what: `the bytes from ${from} to ${to} are in no piece` };
}

function overlapped(at: number): Finding {
  return { kind: "damaged", what: `two pieces have the byte at ${at}` };
}

/** Reports what is wrong with content, for each file or upload that still has it. */
async function reportOwners(
  run: VerifyRun,
  content: number,
  table: "node" | "upload",
  finding: Finding,
): Promise<void> {
  const what = table === "node" ? finding.what : `a partial upload: ${finding.what}`;
  for (let last = -1;;) {
    const rows = await ownersOf(run.parts.db, table, content, last);
    for (const { path } of rows) run.report(pathOf(path), { ...finding, what });
    if (rows.length < pageOwners) return;
    last = rows.at(-1)!.id;
  }
}

async function ownersOf(
  db: Statements,
  table: "node" | "upload",
  content: number,
  last: number,
): Promise<{ id: number; path: string }[]> {
  return await db.all(
    `SELECT id, ${pathColumn} AS path FROM ${table}
     WHERE content = $1 AND id > $2::bigint ORDER BY id LIMIT ${pageOwners}`,
    content,
    last,
  );
}

/** The path of a file or an upload, in SQL. */
export const pathColumn = "path_of(parent) || '/' || encode(name, 'hex')";

/** Returns a path to show. @param path as {@link pathColumn} selects it */
export function pathOf(path: string): string {
  return decodePath(path.replace(/^\//, ""));
}
