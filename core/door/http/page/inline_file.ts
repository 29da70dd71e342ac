/**
 * Sends a file to be shown inside a page. It is untrusted and has the page's own origin, so a sandbox keeps
 * it from running anything. Kinds without a preview are sent as downloads.
 */
import { sendFile } from "../download.ts";
import { split } from "../path.ts";
import { lookOf, typeOf } from "./format.ts";
import { type PageContext, userView } from "./view.ts";

const policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'";

/** GET /raw/PATH. */
export async function sendInline(c: PageContext): Promise<Response> {
  const { exchange } = await userView(c);
  const { path } = exchange.pathBelow("/raw");
  const { name } = split(path);
  const look = lookOf(name);
  const inline = look === "image" || look === "video" || look === "audio" || look === "pdf";
  return await sendFile(exchange, path, {
    // PDF viewers of browsers don't start in a sandbox; a PDF runs nothing in them.
    "content-security-policy": look === "pdf" ? policy : `${policy}; sandbox`,
    "content-disposition": inline ? "inline" : "attachment",
    "content-type": inline ? typeOf(name) : "application/octet-stream",
  });
}
