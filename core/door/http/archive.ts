/**
 * Sends a folder as a zip or tar, made while the folder is read. A file that was removed meanwhile, or
 * can't be opened, is left out; the last member, `NAME.missing.txt`, lists such files. A file that gets
 * shorter while it is read cuts the archive off without an end mark, so that no program takes the
 * archive for complete.
 */
import { BargeError, type Kind } from "../../error.ts";
import { get } from "../../session/get.ts";
import type { FileContent } from "../../storage/content.ts";
import { printable } from "../../protocol/printable.ts";
import { list } from "../../session/list.ts";
import { refuseUnnamed } from "../../session/omitted.ts";
import type { Session } from "../../login/session.ts";
import { stat } from "../../session/stat.ts";
import { piecesOf } from "./download.ts";
import type { AuthenticatedExchange, Source } from "./exchange.ts";
import { join, split } from "./path.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar.ts";
import { type ArchiveMember, ZipWriter } from "./zip.ts";

export type ArchiveFormat = "zip" | "tar";

const encoder = new TextEncoder();

/** A file or folder to put into an archive. */
type Member = Omit<ArchiveMember, "size"> & { readonly path: string };

/**
 * Sends a file or folder as an archive.
 *
 * @throws {BargeError} `not-found`, `denied`; `refused` for a folder with names that are not valid UTF-8
 */
export async function sendArchive(
  exchange: AuthenticatedExchange,
  path: string,
  format: ArchiveFormat,
): Promise<Response> {
  const { session, method } = exchange;
  // A missing folder, or one with names that are not valid UTF-8, fails before the head is sent.
  const { entry } = await stat(session, path);
  for (const top of path === "/" ? ["/home", "/public"] : [path]) {
    if (entry?.type === "dir") {
      await refuseUnnamed(session.store.tree, session.locate(top).place!);
    }
  }
  const name = split(path).name || "files";
  const headers = {
    "content-type": format === "zip" ? "application/zip" : "application/x-tar",
    "content-disposition": attachment(`${name}.${format}`),
    "cache-control": "no-store",
  };
  if (method === "HEAD") return new Response(null, { headers });
  const members = membersOf(session, path, `${name}/`);
  const writer = format === "zip" ? new ZipWriter() : tarWriter;
  const source = archive(exchange, members, writer, `${name}.missing.txt`);
  return exchange.send(joinPieces(source), { headers });
}

/** Returns a Content-Disposition with a file name: RFC 6266, and RFC 8187 for other characters. */
export function attachment(name: string): string {
  const plain = name.replace(/[^ -~]|["\\%]/g, "_");
  const coded = encodeURIComponent(name).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${coded}`;
}

/** @param top the folder that holds all members, so that unpacking the archive makes one entry */
async function* membersOf(session: Session, path: string, top: string): AsyncGenerator<Member> {
  const { entry } = await stat(session, path);
  const single = entry?.type === "file";
  if (entry && !single) {
    yield { name: top.slice(0, -1), type: "dir", modified: Date.parse(entry.modified), path };
  }
  for await (const batch of list(session, path, true)) {
    for (const { name, type, modified } of batch) {
      const member = single ? { name, path } : { name: top + name, path: join(path, name) };
      yield { ...member, type, modified: Date.parse(modified) };
    }
  }
}

/** Makes the parts of an archive around the bytes of the files. */
interface ArchiveWriter {
  begin(member: ArchiveMember): Uint8Array;
  /** Called with each piece of a file's bytes. */
  add(bytes: Uint8Array): void;
  end(size: number): Uint8Array;
  finish(): Iterable<Uint8Array>;
}

const tarWriter: ArchiveWriter = {
  begin: tarHeader,
  add() {},
  end: tarPadding,
  finish: () => [tarEnd],
};

/** @param missing the name of the list of missing files, which is added if there are any */
async function* archive(
  exchange: AuthenticatedExchange,
  members: AsyncGenerator<Member>,
  writer: ArchiveWriter,
  missing: string,
): Source {
  const missingFiles = new MissingFiles();
  for await (const member of members) {
    if (member.type === "dir") {
      yield writer.begin({ ...member, name: `${member.name}/`, size: 0 });
      yield writer.end(0);
      continue;
    }
    const file = await openMember(exchange.session, member, missingFiles);
    if (!file) continue;
    const { size, modified } = file;
    yield writer.begin({ ...member, size, modified });
    let sent = 0;
    for await (const piece of piecesOf(file)) {
      sent += piece.length;
      writer.add(piece);
      yield piece;
    }
    if (sent !== size) throw new BargeError("changed", "the file was cut short", member);
    yield writer.end(size);
  }
  if (missingFiles.count > 0) {
    exchange.failed = new BargeError("changed", "files were removed, or could not be read");
    const text = encoder.encode(missingFiles.text);
    const size = text.length;
    yield writer.begin({ name: missing, type: "file", size, modified: Date.now() });
    writer.add(text);
    yield text;
    yield writer.end(size);
  }
  yield* writer.finish();
}

/** The kinds of failures that concern a single file; others end the archive. */
const singleFileKinds: ReadonlySet<Kind> = new Set<Kind>(["not-found", "exists", "denied", "io"]);

/** Opens a file. Adds it to the missing files if it was removed or can't be read. */
async function openMember(
  session: Session,
  { name, path }: Member,
  missingFiles: MissingFiles,
): Promise<FileContent | undefined> {
  try {
    return await get(session, path, 0);
  } catch (error) {
    if (!(error instanceof BargeError) || !singleFileKinds.has(error.kind)) throw error;
    const why = error.kind === "not-found" ? "removed before it was read" : error.message;
    missingFiles.add(name, why);
    return undefined;
  }
}

const maxNamedFiles = 1000;

/** The list of files that an archive lacks. */
class MissingFiles {
  count = 0;
  #lines = "";

  add(name: string, why: string): void {
    this.count++;
    if (this.count <= maxNamedFiles) this.#lines += `${printable(`${name}: ${why}`)}\n`;
  }

  get text(): string {
    const more = this.count - maxNamedFiles;
    return `Not in this archive:\n${this.#lines}${more > 0 ? `and ${more} more\n` : ""}`;
  }
}

/** The size of the buffer that joins small pieces. */
const bufferBytes = 64 * 1024;

/** Joins small pieces; an archive has several for each file. */
async function* joinPieces(source: Source): Source {
  const buffer = new Uint8Array(bufferBytes);
  let used = 0;
  for await (const piece of source) {
    if (used > 0 && used + piece.length > buffer.length) {
      yield buffer.subarray(0, used);
      used = 0;
    }
    if (piece.length > buffer.length / 2) {
      if (used > 0) yield buffer.subarray(0, used);
      used = 0;
      yield piece;
    } else {
      buffer.set(piece, used);
      used += piece.length;
    }
  }
  if (used > 0) yield buffer.subarray(0, used);
}
