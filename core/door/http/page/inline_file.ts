/**
 * A file's bytes, to be shown inside a page. What is shown may have been uploaded by a stranger, and
 * lies on the page's own origin: it is put into a sandbox, where it can run nothing, and is only ever
 * what its name says. Kinds that nobody shows are sent as downloads.
 */
import { sendFile } from "../download.ts";
import { treePath } from "../path.ts";
import { lookOf, split, typeOf } from "./format.ts";
import { type PageContext, userView } from "./view.ts";

const shut = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'";

/** GET /raw/PATH. */
export async function raw(c: PageContext): Promise<Response> {
  const { exchange } = await userView(c);
  const { path } = treePath(exchange.target.path.slice("/raw".length));
  exchange.asked.path = path;
  const { name } = split(path);
  const look = lookOf(name);
  const inline = look === "image" || look === "video" || look === "audio" || look === "pdf";
  return await sendFile(exchange, path, {
    // The browsers' viewers of PDF don't start in a sandbox; the bytes go to them, and run nothing.
    "content-security-policy": look === "pdf" ? shut : `${shut}; sandbox`,
    "content-disposition": inline ? "inline" : "attachment",
    "content-type": inline ? typeOf(name) : "application/octet-stream",
  });
}
