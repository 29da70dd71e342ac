/** GET, PUT, DELETE and MKCOL. */
import { list } from "../../../session/list.ts";
import { mkdir } from "../../../session/mkdir.ts";
import { remove } from "../../../session/remove.ts";
import { stat } from "../../../session/stat.ts";
import type { View } from "../../../storage/view.ts";
import { sendFile } from "../download.ts";
import type { AuthenticatedExchange, Source } from "../exchange.ts";
import { join } from "../path.ts";
import { Refusal } from "../problem.ts";
import { receiveFile } from "../upload.ts";
import { davTag } from "../condition.ts";
import { checkNow, entryAt, Guard, refuseFixed } from "./guard.ts";
import { depth, hrefOf, needsInfinity, prefix } from "./headers.ts";
import { escapeXml } from "./xml.ts";

/** GET and HEAD. A folder is answered with a list in HTML, for browsers. */
export async function read(exchange: AuthenticatedExchange): Promise<Response> {
  const { path } = exchange.pathBelow(prefix);
  const guard = new Guard(exchange, path);
  await checkNow(exchange, path, (view) => guard.checkIf(view));
  const { entry } = await stat(exchange.session, path);
  if (entry?.type !== "dir") return await sendFile(exchange, path, {}, { tagOf: davTag });
  return exchange.send(index(exchange, path), {
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  });
}

async function* index({ session, door }: AuthenticatedExchange, path: string): Source {
  const encoder = new TextEncoder();
  const title = escapeXml(path);
  yield encoder.encode(
    `<!doctype html>\n<meta charset="utf-8">\n<title>${title}</title>\n<h1>${title}</h1>\n<ul>\n`,
  );
  for await (const batch of list(session, path, false)) {
    const lines = batch.map(({ name, type }) => {
      const folder = type === "dir";
      const href = hrefOf(door.proxy.prefix, join(path, name), folder);
      return `<li><a href="${escapeXml(href)}">${escapeXml(name)}${folder ? "/" : ""}</a>\n`;
    });
    yield encoder.encode(lines.join(""));
  }
  yield encoder.encode("</ul>\n");
}

export async function write(exchange: AuthenticatedExchange): Promise<Response> {
  const { path, folder } = exchange.pathBelow(prefix);
  const guard = new Guard(exchange, path);
  if (folder || (await entryAt(exchange.session, path))?.type === "dir") {
    throw new Refusal(405, "exists", "the path is a folder's");
  }
  const committed = await receiveFile(exchange, path, (existing, view) => {
    guard.check(view, { [path]: existing ? "content" : "name" });
  }, davTag);
  const headers = { etag: davTag(committed) };
  return new Response(null, { status: committed.replaced ? 204 : 201, headers });
}

/** DELETE. */
export async function removeMember(exchange: AuthenticatedExchange): Promise<Response> {
  const { path } = exchange.pathBelow(prefix);
  refuseFixed(exchange.session, path);
  const guard = new Guard(exchange, path);
  if ((depth(exchange) ?? "infinity") !== "infinity") {
    const { entry } = await stat(exchange.session, path);
    if (entry?.type === "dir") throw needsInfinity("removed");
  }
  const check = (view: View) => guard.check(view, { [path]: "name" });
  await checkNow(exchange, path, check);
  await remove(exchange.session, path, true, (_, view) => check(view));
  return new Response(null, { status: 204 });
}

/** MKCOL: RFC 4918, section 9.3. */
export async function makeFolder(exchange: AuthenticatedExchange): Promise<Response> {
  const { path } = exchange.pathBelow(prefix);
  const { session } = exchange;
  const guard = new Guard(exchange, path);
  if ((await exchange.body.bytes()).length > 0) {
    throw new Refusal(415, "unsupported", "a body of MKCOL is not supported");
  }
  if (await entryAt(session, path)) throw new Refusal(405, "exists", "it exists already");
  const check = (view: View) => guard.check(view, { [path]: "name" });
  await mkdir(session, { verb: "mkdir", path, parents: false }, check);
  return new Response(null, { status: 201 });
}
