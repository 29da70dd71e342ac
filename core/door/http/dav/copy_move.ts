/** COPY and MOVE: RFC 4918, sections 9.8 and 9.9. */
import { BargeError } from "../../../error.ts";
import { changeable } from "../../../login/access.ts";
import { copyTree } from "../../../session/copy.ts";
import { move } from "../../../session/move.ts";
import { hiddenBeside, replace, replaceByCopy } from "../../../session/replace.ts";
import { isWithin } from "../../../storage/path.ts";
import type { Condition, View } from "../../../storage/view.ts";
import type { AuthenticatedExchange } from "../exchange.ts";
import { Refusal, statusOf } from "../problem.ts";
import { type Changes, checkNow, entryAt, Guard, refuseFixed } from "./guard.ts";
import {
  depth,
  destination,
  hrefOf,
  isDeep,
  mayOverwrite,
  needsInfinity,
  prefix,
} from "./headers.ts";
import { multistatus, responseElement, status } from "./multistatus.ts";

/** The most failed files that a response lists. */
const maxReportedFailures = 1000;

export async function copyMember(exchange: AuthenticatedExchange): Promise<Response> {
  const deep = isDeep(exchange);
  const { from, to, folder, twoSteps, check, recheck, response } = await plan(exchange, "copy");
  const { session } = exchange;
  // A destination that a rename can't replace stays until the copy is complete.
  const target = twoSteps ? hiddenBeside(to) : to;
  const failures: string[] = [];
  const onFailed = (path: string, error: BargeError) => {
    if (failures.length >= maxReportedFailures) return;
    const href = hrefOf(exchange.door.proxy.prefix, to + path.slice(target.length), false);
    failures.push(responseElement(href, status(statusOf(error))));
  };
  const options = { onFailed, signal: exchange.ended.signal, deep };
  if (twoSteps) {
    const conditions = { mayReplace: check, mayMove: recheck };
    await replaceByCopy(session, from, to, target, { ...options, ...conditions });
  } else {
    const overwrite = folder ? "never" : (_: unknown, view: View) => check(view);
    await copyTree(session, from, to, overwrite, { ...options, condition: check });
  }
  return failures.length > 0 ? multistatus(failures) : response;
}

export async function moveMember(exchange: AuthenticatedExchange): Promise<Response> {
  const { from, to, folder, twoSteps, check, recheck, response } = await plan(exchange, "move");
  if (folder && (depth(exchange) ?? "infinity") !== "infinity") {
    throw needsInfinity("moved");
  }
  if (twoSteps) await replace(exchange.session, from, to, check, recheck);
  else await move(exchange.session, from, to, (_, view) => check(view));
  return response;
}

/**
 * Checks a request, and returns its parts.
 *
 * @returns `twoSteps` is true if the destination exists, and it or the source is a folder: then a rename
 *   can't replace the destination, which is moved aside in a step of its own. `check` belongs to the first
 *   step, `recheck` to the second
 */
async function plan(exchange: AuthenticatedExchange, verb: "copy" | "move") {
  const { path: from } = exchange.pathBelow(prefix);
  const to = destination(exchange);
  const overwrite = mayOverwrite(exchange);
  const { session } = exchange;
  const guard = new Guard(exchange, from);
  if (verb === "move") refuseFixed(session, from);
  refuseFixed(session, to);
  const source = await entryAt(session, from);
  if (!source) throw new BargeError("not-found", "there is no such file or folder");
  if (isWithin(to, from) || isWithin(from, to)) {
    throw new Refusal(403, "refused", "the source is inside the destination, or the reverse");
  }
  const target = await entryAt(session, to);
  const folder = source.type === "dir";
  const replaces = target !== undefined;
  const twoSteps = replaces && (folder || target.type === "dir");
  const change = replaces && !twoSteps ? "content" : "name";
  const changes: Changes = verb === "move" ? { [to]: change, [from]: "name" } : { [to]: change };
  const check: Condition = (view) => {
    guard.check(view, changes);
    if (!overwrite && view.entry(changeable(session.locate(to)))) {
      throw new Refusal(412, "exists", "it exists already");
    }
  };
  await checkNow(exchange, to, check);
  const recheck: Condition = (view) => guard.checkLocks(view, changes);
  const response = new Response(null, { status: replaces ? 204 : 201 });
  return { from, to, folder, twoSteps, check, recheck, response };
}
