/**
 * Answers GET and HEAD of a file by its URL, without the router. For a small file the router's chain and the
 * objects `Request`, `Response` and `Headers` take longer than the file.
 */
import { getChecked } from "../../session/get.ts";
import { requireLogin } from "./auth.ts";
import { davTag, etagOf } from "./condition.ts";
import { fileHead, isFolder } from "./download.ts";
import type { Exchange, Head } from "./exchange.ts";

/** The URLs of files, each with the function that makes the entity tags there. */
const fileUrls = [["/api/v1/files", etagOf], ["/dav", davTag]] as const;

/**
 * Answers a request for a file.
 *
 * @returns undefined if the router must answer: another method or URL, a query, a folder, WebDAV's conditions
 * @throws {BargeError} as `requireLogin` and `fileHead`
 */
export async function answerFile(exchange: Exchange): Promise<Head | undefined> {
  const { method, target: { path, query } } = exchange;
  if (method !== "GET" && method !== "HEAD" || query !== "" || path.endsWith("/")) return undefined;
  const [prefix, tagOf] = fileUrls.find(([prefix]) => path.startsWith(`${prefix}/`)) ?? [];
  if (prefix === undefined || exchange.header("if") !== undefined) return undefined;
  exchange.logEntry.verb = "get";
  const authenticated = await requireLogin(exchange);
  const file = exchange.pathBelow(prefix).path;
  if (authenticated.session.wayIn(file) !== undefined) return undefined;
  try {
    return await fileHead(authenticated, file, {}, { tagOf, open: getChecked });
  } catch (error) {
    if (isFolder(error)) return undefined;
    throw error;
  }
}
