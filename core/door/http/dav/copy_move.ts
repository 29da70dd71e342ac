/** COPY and MOVE: RFC 4918, sections 9.8 and 9.9. */
import { BargeError } from "../../../error.ts";
import { copyTree } from "../../../session/copy_tree.ts";
import { move } from "../../../session/move.ts";
import { remove } from "../../../session/remove.ts";
import type { Exchange } from "../exchange.ts";
import { Refusal, statusOf } from "../problem.ts";
import { entryAt, Guard } from "./guard.ts";
import { asked, depth, destination, hrefOf, mayOverwrite } from "./headers.ts";
import { multistatus, response, status } from "./multistatus.ts";

/** Of that many files that could not be copied the client is told. */
const mostFailures = 1000;

/** What is to be done, and what of it is allowed. */
interface Plan {
  readonly from: string;
  readonly to: string;
  readonly folder: boolean;
  /** Is something at the destination? */
  readonly replaces: boolean;
  /** Is that a folder, or one is to come there? Then it has to go first. */
  readonly clears: boolean;
  /** May it still be done? For each step, under the write lock. */
  readonly met: () => void;
}

export async function copyMember(exchange: Exchange): Promise<Response> {
  const session = exchange.session!;
  const deep = depth(exchange) ?? "infinity";
  if (deep === "1") throw new BargeError("usage", "Depth is 0 or infinity");
  const { from, to, folder, replaces, clears, met } = plan(exchange, "copy");
  if (clears) await remove(session, to, true, met);
  const failures: string[] = [];
  const onFailed = (path: string, error: BargeError) => {
    if (failures.length >= mostFailures) return;
    failures.push(response(hrefOf(path, false), status(statusOf(error))));
  };
  const { signal } = exchange.ended;
  const options = { onFailed, signal, still: met, deep: deep === "infinity" };
  await copyTree(session, from, to, folder ? "never" : met, options);
  return failures.length > 0 ? multistatus(failures) : done(replaces);
}

export async function moveMember(exchange: Exchange): Promise<Response> {
  const session = exchange.session!;
  const { from, to, folder, replaces, clears, met } = plan(exchange, "move");
  if (folder && (depth(exchange) ?? "infinity") !== "infinity") {
    throw new BargeError("usage", "a folder is moved with all that is in it");
  }
  if (clears) await remove(session, to, true, met);
  await move(session, from, to, met);
  return done(replaces);
}

function plan(exchange: Exchange, verb: "copy" | "move"): Plan {
  const { path: from } = asked(exchange);
  const to = destination(exchange);
  const overwrite = mayOverwrite(exchange);
  const session = exchange.session!;
  const guard = new Guard(exchange, from);
  const source = entryAt(session, from);
  if (!source) throw new BargeError("not-found", "there is no such file or folder");
  if (`${to}/`.startsWith(`${from}/`) || `${from}/`.startsWith(`${to}/`)) {
    throw new Refusal(403, "refused", "the source and the destination are in one another");
  }
  const target = entryAt(session, to);
  if (target && !overwrite) throw new Refusal(412, "exists", "it exists already", { path: to });
  const folder = source.type === "dir";
  const replaces = target !== undefined;
  const clears = replaces && (folder || target.type === "dir");
  const met = () => {
    const content = replaces && !clears;
    guard.check({
      [to]: content ? "content" : "name",
      ...verb === "move" ? { [from]: "name" } : {},
    });
    if (!overwrite && entryAt(session, to)) throw new Refusal(412, "exists", "it exists already");
  };
  met();
  return { from, to, folder, replaces, clears, met };
}

function done(replaced: boolean): Response {
  return new Response(null, { status: replaced ? 204 : 201 });
}
