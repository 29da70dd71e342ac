/**
 * A folder as one file, zip or tar, made while it is read: nothing of it is held but the piece at
 * hand, and its length is unknown before its end.
 *
 * A file that is gone when it is to be added, or can't be opened, is left out. The list of such
 * files is the last member, beside the folder: `NAME.missing.txt`. A file that gets shorter while
 * it is read cuts the archive off without an end mark, so no program takes the archive for whole.
 */
import { BargeError, type Kind } from "../../error.ts";
import { get } from "../../session/get.ts";
import type { Download } from "../../local/download.ts";
import { printable } from "../../protocol/printable.ts";
import { list } from "../../session/list.ts";
import { refuseUnnamed } from "../../local/omitted.ts";
import type { Session } from "../../login/session.ts";
import { stat } from "../../session/stat.ts";
import { piecesOf } from "./download.ts";
import type { AuthenticatedExchange, Source } from "./exchange.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar.ts";
import { ZipWriter } from "./zip.ts";

export type ArchiveFormat = "zip" | "tar";

const encoder = new TextEncoder();

/** A file or folder in an archive. */
interface Member {
  readonly name: string;
  readonly type: "file" | "dir";
  readonly modified: number;
  readonly path: string;
}

/**
 * Answers with what is at a path, and all below it.
 *
 * @throws {BargeError} `not-found`, `denied`; `refused` for a folder with data that no door shows
 */
export async function sendArchive(
  exchange: AuthenticatedExchange,
  path: string,
  format: ArchiveFormat,
): Promise<Response> {
  const { session, method } = exchange;
  // Fails before the head is sent, where the folder is missing or has data that no door shows.
  const { entry } = stat(session!, path);
  for (const top of path === "/" ? ["/home", "/public"] : [path]) {
    if (entry?.type === "dir") await refuseUnnamed(session!.store, session!.locate(top).place!);
  }
  const name = path === "/" ? "files" : path.slice(path.lastIndexOf("/") + 1);
  const headers = {
    "content-type": format === "zip" ? "application/zip" : "application/x-tar",
    "content-disposition": attachment(`${name}.${format}`),
    "cache-control": "no-store",
  };
  if (method === "HEAD") return new Response(null, { headers });
  const members = membersOf(session!, path, `${name}/`);
  const made = format === "zip" ? zipFormat() : tarFormat;
  const source = archive(exchange, members, made, `${name}.missing.txt`);
  return exchange.send(gather(source), { headers });
}

/** A name for the file that a browser makes of an answer: RFC 6266, with RFC 8187 for the rest. */
export function attachment(name: string): string {
  const plain = name.replace(/[^ -~]|["\\%]/g, "_");
  const coded = encodeURIComponent(name).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${coded}`;
}

/** @param top a folder around it all, so that unpacking it scatters nothing */
async function* membersOf(
  session: Session,
  path: string,
  top: string,
): AsyncGenerator<Member> {
  const { entry } = stat(session, path);
  const single = entry?.type === "file";
  if (entry && !single) {
    yield { name: top.slice(0, -1), type: "dir", modified: Date.parse(entry.modified), path };
  }
  for await (const batch of list(session, path, true)) {
    for (const { name, type, modified } of batch) {
      const below = path === "/" ? `/${name}` : `${path}/${name}`;
      const member = single ? { name, path } : { name: top + name, path: below };
      yield { ...member, type, modified: Date.parse(modified) };
    }
  }
}

/** A piece of an archive: a header or the like from the format, or bytes of a file. */
interface Format {
  header(member: Member & { readonly size: number }): Uint8Array;
  /** Called with each piece of a file's bytes. */
  piece(bytes: Uint8Array): void;
  trailer(size: number): Uint8Array;
  end(): Iterable<Uint8Array>;
}

function zipFormat(): Format {
  const zip = new ZipWriter();
  return {
    header: (member) => zip.begin(member),
    piece: (bytes) => zip.add(bytes),
    trailer: () => zip.end(),
    end: () => zip.finish(),
  };
}

const tarFormat: Format = {
  header: tarHeader,
  piece() {},
  trailer: tarPadding,
  end: () => [tarEnd],
};

/** @param missing the name of the list of unreadable files, added if there are any */
async function* archive(
  exchange: AuthenticatedExchange,
  members: AsyncGenerator<Member>,
  format: Format,
  missing: string,
): Source {
  const lost = new Lost();
  for await (const member of members) {
    if (member.type === "dir") {
      yield format.header({ ...member, name: `${member.name}/`, size: 0 });
      yield format.trailer(0);
      continue;
    }
    const file = await opened(exchange.session!, member, lost);
    if (!file) continue;
    const { size, modified } = file;
    yield format.header({ ...member, size, modified });
    let sent = 0;
    for await (const piece of piecesOf(file)) {
      sent += piece.length;
      format.piece(piece);
      yield piece;
    }
    if (sent !== size) throw new BargeError("changed", "the file was cut short", member);
    yield format.trailer(size);
  }
  if (lost.count > 0) {
    exchange.failed = new BargeError("changed", "files were removed, or could not be read");
    const text = encoder.encode(lost.text);
    const { length: size } = text;
    yield format.header({ name: missing, type: "file", size, modified: Date.now(), path: "" });
    format.piece(text);
    yield text;
    yield format.trailer(size);
  }
  yield* format.end();
}

/** Failures of these kinds concern one file; others concern all that follow. */
const ofOneFile: ReadonlySet<Kind> = new Set<Kind>(["not-found", "exists", "denied", "io"]);

/** Opens a file. Adds it to `lost` if it is gone by now, or can't be read. */
async function opened(
  session: Session,
  { name, path }: Member,
  lost: Lost,
): Promise<Download | undefined> {
  try {
    return await get(session, path, 0);
  } catch (error) {
    if (!(error instanceof BargeError) || !ofOneFile.has(error.kind)) throw error;
    lost.add(name, error.kind === "not-found" ? "removed before its turn came" : error.message);
    return undefined;
  }
}

const maxNamedLost = 1000;

/** The list of files that an archive lacks. */
class Lost {
  count = 0;
  #lines = "";

  add(name: string, why: string): void {
    this.count++;
    if (this.count <= maxNamedLost) this.#lines += `${printable(`${name}: ${why}`)}\n`;
  }

  get text(): string {
    const more = this.count - maxNamedLost;
    return `Not in this archive:\n${this.#lines}${more > 0 ? `and ${more} more\n` : ""}`;
  }
}

/** The least number of bytes that is sent at once, except at the end. */
const gatheredBytes = 64 * 1024;

/** Joins small pieces, of which an archive has several for each file. */
async function* gather(source: Source): Source {
  const buffer = new Uint8Array(gatheredBytes);
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
