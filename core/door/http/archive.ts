/**
 * A folder as one file, zip or tar, made while it is read: nothing of it is held but the piece at
 * hand, and nobody knows its length before its end. What can't be read ends it early, without the
 * end that an archive has: no program takes it for whole.
 */
import { makeZip } from "client-zip";
import { BargeError } from "../../error.ts";
import { get } from "../../session/get.ts";
import { list } from "../../session/list.ts";
import { refuseUnnamed } from "../../session/omitted.ts";
import type { Session } from "../../session/session.ts";
import { stat } from "../../session/stat.ts";
import { piecesOf } from "./download.ts";
import type { Exchange, Source } from "./exchange.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar.ts";

export type ArchiveFormat = "zip" | "tar";

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
 * @throws {BargeError} `not-found`, `denied`; `refused` where data is in it that no door shows
 */
export async function sendArchive(
  exchange: Exchange,
  path: string,
  format: ArchiveFormat,
): Promise<Response> {
  const { session, method } = exchange;
  // What is not there, or would be missing, is told before the head is sent.
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
  return exchange.send(format === "zip" ? zip(session!, members) : tar(session!, members), {
    headers,
  });
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

async function* zip(session: Session, members: AsyncGenerator<Member>): Source {
  const files = async function* () {
    for await (const { name, type, modified, path } of members) {
      const lastModified = new Date(modified);
      if (type === "dir") yield { name: `${name}/`, lastModified };
      else yield { name, lastModified, input: fileOf(session, path) };
    }
  };
  yield* makeZip(files());
}

async function* fileOf(session: Session, path: string): Source {
  const file = await get(session, path, 0);
  // A zip's reader may hold on to a piece: it gets bytes of its own.
  for await (const piece of piecesOf(file)) yield piece.slice();
}

async function* tar(session: Session, members: AsyncGenerator<Member>): Source {
  for await (const { name, type, modified, path } of members) {
    if (type === "dir") {
      yield tarHeader({ name: `${name}/`, type, size: 0, modified });
      continue;
    }
    const file = await get(session, path, 0);
    yield tarHeader({ name, type, size: file.size, modified: file.modified });
    let sent = 0;
    for await (const piece of piecesOf(file)) {
      sent += piece.length;
      yield piece;
    }
    if (sent !== file.size) throw new BargeError("changed", "the file was cut short", { path });
    yield tarPadding(file.size);
  }
  yield tarEnd;
}
