/** COPY and MOVE: RFC 4918, sections 9.8 and 9.9. */
import { BargeError } from "../../../error.ts";
import { changeable } from "../../../login/access.ts";
import { copyTree } from "../../../session/copy.ts";
import { move } from "../../../session/move.ts";
import { remove } from "../../../session/remove.ts";
import { hiddenBeside, replace } from "../../../session/replace.ts";
import { isWithin } from "../../../storage/path.ts";
import type { Condition, View } from "../../../storage/view.ts";
import type { AuthenticatedExchange } from "../exchange.ts";
import { Refusal, statusOf } from "../problem.ts";
import { type Changes, early, entryAt, Guard, refuseFixed } from "./guard.ts";
import { depth, destination, hrefOf, mayOverwrite, prefix } from "./headers.ts";
import { multistatus, response, status } from "./multistatus.ts";

/** The most failed files that a response lists. */
const maxReportedFailures = 1000;

/** The steps of a request, and the checks for them. */
interface Plan {
  readonly from: string;
  readonly to: string;
  readonly folder: boolean;
  /** True if the destination exists. */
  readonly replaces: boolean;
  /** True if the destination exists and either side is a folder. Then it takes two steps. */
  readonly clears: boolean;
  /** The check of the first step. */
  readonly met: Condition;
  /** The check of the second step. */
  readonly still: Condition;
}

export async function copyMember(exchange: AuthenticatedExchange): Promise<Response> {
  const deep = depth(exchange) ?? "infinity";
  if (deep === "1") throw new BargeError("usage", "Depth is 0 or infinity");
  const plan = await planned(exchange, "copy");
  const { from, to, folder, clears, met, still } = plan;
  const session = exchange.session;
  // If a rename can't replace the destination, it stays until the copy is complete.
  const target = clears ? hiddenBeside(to) : to;
  const failures: string[] = [];
  const onFailed = (path: string, error: BargeError) => {
    if (failures.length >= maxReportedFailures) return;
    const href = hrefOf(exchange.door.proxy.prefix, to + path.slice(target.length), false);
    failures.push(response(href, status(statusOf(error))));
  };
  const options = { onFailed, signal: exchange.ended.signal, deep: deep === "infinity" };
  if (clears) {
    try {
      await copyTree(session, from, target, "never", options);
      await replace(session, target, to, met, still);
    } catch (error) {
      if (await entryAt(session, target)) await remove(session, target, true);
      throw error;
    }
  } else {
    const overwrite = folder ? "never" : (_: unknown, view: View) => met(view);
    await copyTree(session, from, to, overwrite, { ...options, still: met });
  }
  return failures.length > 0 ? multistatus(failures) : done(plan);
}

export async function moveMember(exchange: AuthenticatedExchange): Promise<Response> {
  const plan = await planned(exchange, "move");
  const { from, to, folder, clears, met, still } = plan;
  if (folder && (depth(exchange) ?? "infinity") !== "infinity") {
    throw new BargeError(
      "usage",
      "a folder is moved with all its contents, so Depth must be infinity",
    );
  }
  if (clears) await replace(exchange.session, from, to, met, still);
  else await move(exchange.session, from, to, (_, view) => met(view));
  return done(plan);
}

async function planned(exchange: AuthenticatedExchange, verb: "copy" | "move"): Promise<Plan> {
  const { path: from } = exchange.pathBelow(prefix);
  const to = destination(exchange);
  const overwrite = mayOverwrite(exchange);
  const session = exchange.session;
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
  const clears = replaces && (folder || target.type === "dir");
  const change = replaces && !clears ? "content" : "name";
  const changes: Changes = verb === "move" ? { [to]: change, [from]: "name" } : { [to]: change };
  const met: Condition = (view) => {
    guard.check(view, changes);
    if (!overwrite && view.entry(changeable(session.locate(to)))) {
      throw new Refusal(412, "exists", "it exists already");
    }
  };
  await early(exchange, to, met);
  const still: Condition = (view) => guard.unlocked(view, changes);
  return { from, to, folder, replaces, clears, met, still };
}

function done({ replaces }: Plan): Response {
  return new Response(null, { status: replaces ? 204 : 201 });
}
