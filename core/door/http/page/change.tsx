/**
 * Changes to files: POST /do/VERB. A form that does not say all yet is answered with a question, as a
 * page of its own, which the script shows as a dialog; one that does is done, and leads back.
 */
import { BargeError, typed } from "../../../error.ts";
import { copyTree } from "../../../session/copy.ts";
import { mkdir } from "../../../session/mkdir.ts";
import { move } from "../../../session/move.ts";
import { remove } from "../../../session/remove.ts";
import { encodePath } from "../path.ts";
import { nothing, statusOf } from "../problem.ts";
import { Ask } from "./ask.tsx";
import { sectionOf } from "./browse.tsx";
import { join } from "./format.ts";
import { send, Shell } from "./layout.tsx";
import { wordsOf } from "./said.ts";
import { formOf, type PageContext, type UserView, userView } from "./view.ts";

/** What can be done with files. */
export const verbs = ["mkdir", "rename", "move", "copy", "publish", "claim", "delete"] as const;
export type Verb = typeof verbs[number];

/** What a form says. */
export interface Wish {
  readonly verb: Verb;
  /** The folder that it is about, and names in it. */
  readonly dir: string;
  readonly names: readonly string[];
  /** A name to give; a folder to put into; undefined: not said yet. */
  readonly to: string | undefined;
  /** Of the question where to: the folder that is shown. */
  readonly at: string | undefined;
  /** Of publishing and claiming: does the original stay? */
  readonly keep: boolean;
  readonly sure: boolean;
}

/** GET /do/mkdir?dir=PATH: a question that needs no form before it. */
export async function askMkdir(c: PageContext): Promise<Response> {
  const view = await userView(c);
  if (c.req.param("verb") !== "mkdir") throw nothing();
  const dir = view.query.get("dir") ?? "/home";
  return await question(view, wishOf("mkdir", new URLSearchParams({ dir })));
}

/** POST /do/VERB. */
export async function change(c: PageContext): Promise<Response> {
  const view = await userView(c);
  const form = await formOf(view);
  const verb = verbs.find((verb) => verb === c.req.param("verb"));
  if (!verb) throw nothing();
  const wish = wishOf(verb, form);
  const { exchange } = view;
  exchange.asked.verb = verb;
  exchange.asked.path = wish.dir;
  try {
    if (wish.names.length === 0 && verb !== "mkdir") {
      throw new BargeError("usage", "nothing is selected");
    }
    if (!isComplete(wish)) return await question(view, wish);
    const said = await perform(view, wish);
    return c.redirect(`/files${encodePath(wish.dir)}/?said=${said}`, 303);
  } catch (error) {
    const failed = typed(error);
    if (failed.kind === "io" || failed.kind === "fatal") throw error;
    exchange.failed = failed;
    return await question(view, wish, failed);
  }
}

function wishOf(verb: Verb, form: URLSearchParams): Wish {
  const to = form.get("to")?.trim();
  return {
    verb,
    dir: form.get("dir") ?? "",
    names: form.getAll("name"),
    to: to === "" ? undefined : to,
    at: form.get("at") ?? undefined,
    keep: form.get("keep") !== "no",
    sure: form.has("sure"),
  };
}

function isComplete({ verb, to, sure }: Wish): boolean {
  return verb === "delete" ? sure : to !== undefined;
}

async function question(view: UserView, wish: Wish, failed?: BargeError): Promise<Response> {
  const error = failed && wordsOf(failed);
  return await send(
    <Shell view={view} title="barge" section={sectionOf(wish.dir)}>
      <Ask view={view} wish={wish} error={error} />
    </Shell>,
    failed ? statusOf(failed) : 200,
  );
}

/** @returns what to say of it */
async function perform(view: UserView, wish: Wish): Promise<string> {
  const { session, exchange } = view;
  const { verb, dir, names, to = "", keep } = wish;
  if (verb === "mkdir") {
    checkPart(to);
    await mkdir(session, { verb: "mkdir", path: join(dir, to), parents: false });
    return "made";
  }
  if (verb === "rename") {
    if (names.length > 1) throw new BargeError("usage", "only one thing can be renamed at a time");
    checkPart(to);
    await move(session, join(dir, names[0]), join(dir, to), "never");
    return "renamed";
  }
  let done = 0;
  for (const name of names) {
    const from = join(dir, name);
    try {
      if (verb === "delete") await remove(session, from, true);
      else if (verb === "move" || (verb !== "copy" && !keep)) {
        await move(session, from, join(to, name), "never");
      } else {await copyTree(session, from, join(to, name), "never", {
          signal: exchange.ended.signal,
        });}
      done++;
    } catch (error) {
      const failed = typed(error, { path: from });
      if (done === 0) throw failed;
      const why = `${done} of ${names.length} are done, then: ${wordsOf(failed)}`;
      throw new BargeError(failed.kind, why.replace(/\.$/, ""));
    }
    exchange.ended.signal.throwIfAborted();
  }
  const words = { move: "moved", copy: "copied", delete: "deleted" } as const;
  const word = verb === "publish" ? "published" : verb === "claim" ? "claimed" : words[verb];
  return `${word}.${done}`;
}

/** A name, and not a path. */
function checkPart(name: string): void {
  if (!name.includes("/")) return;
  throw new BargeError("usage", "a name has no slash in it");
}
