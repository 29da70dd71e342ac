/** Changes to files: POST /do/VERB. An incomplete form is answered with a dialog, a page of its own. */
import { BargeError, typed } from "../../../error.ts";
import { copyTree } from "../../../session/copy.ts";
import { mkdir } from "../../../session/mkdir.ts";
import { move } from "../../../session/move.ts";
import { remove } from "../../../session/remove.ts";
import { encodePath, join } from "../path.ts";
import { unknownUrl } from "../problem.ts";
import { ChangeDialog } from "./change_dialog.tsx";
import {
  type ChangeRequest,
  changeRequestOf,
  type ChangeVerb,
  changeVerbs,
  isComplete,
} from "./change_request.ts";
import { sectionOf } from "./folder.tsx";
import { send, Shell } from "./layout.tsx";
import { errorText } from "./messages.ts";
import { formOf, type PageContext, type UserView, userView } from "./view.ts";

/** GET /do/mkdir?dir=PATH: the only dialog that a link opens. */
export async function showMkdir(c: PageContext): Promise<Response> {
  const view = await userView(c);
  if (c.req.param("verb") !== "mkdir") throw unknownUrl();
  const dir = view.query.get("dir") ?? "/home";
  return await sendDialog(view, changeRequestOf("mkdir", new URLSearchParams({ dir })));
}

/** POST /do/VERB. */
export async function change(c: PageContext): Promise<Response> {
  const view = await userView(c);
  const form = await formOf(view);
  const verb = changeVerbs.find((verb) => verb === c.req.param("verb"));
  if (!verb) throw unknownUrl();
  const request = changeRequestOf(verb, form);
  const { exchange } = view;
  Object.assign(exchange.logEntry, { verb, path: request.dir });
  try {
    if (request.names.length === 0 && verb !== "mkdir") {
      throw new BargeError("usage", "nothing is selected");
    }
    if (!isComplete(request)) return await sendDialog(view, request);
    const notice = await makeChange(view, request);
    return c.redirect(`/files${encodePath(request.dir)}/?notice=${notice}`, 303);
  } catch (error) {
    const failed = typed(error);
    if (failed.kind === "io" || failed.kind === "fatal") throw error;
    exchange.failed = failed;
    return await sendDialog(view, request, failed);
  }
}

async function sendDialog(
  view: UserView,
  request: ChangeRequest,
  failed?: BargeError,
): Promise<Response> {
  return await send(
    <Shell view={view} title="barge" section={sectionOf(request.dir)}>
      <ChangeDialog view={view} request={request} failed={failed} />
    </Shell>,
    failed,
  );
}

/** @returns the code of the notice to show; see messages.ts */
async function makeChange(view: UserView, request: ChangeRequest): Promise<string> {
  const { session } = view;
  const { verb, dir, names, to = "" } = request;
  if (verb === "mkdir") {
    refuseSlash(to);
    await mkdir(session, { verb: "mkdir", path: join(dir, to), parents: false });
    return "made";
  }
  if (verb === "rename") {
    if (names.length > 1) throw new BargeError("usage", "only one item can be renamed at a time");
    refuseSlash(to);
    await move(session, join(dir, names[0]), join(dir, to), "never");
    return "renamed";
  }
  const { signal } = view.exchange.ended;
  let done = 0;
  for (const name of names) {
    try {
      await changeOne(view, request, name);
      done++;
    } catch (error) {
      const failed = typed(error, { path: join(dir, name) });
      if (done === 0) throw failed;
      const why = `${done} of ${names.length} are done, then: ${errorText(failed)}`;
      throw new BargeError(failed.kind, why.replace(/\.$/, ""));
    }
    signal.throwIfAborted();
  }
  return `${notices[verb]}.${done}`;
}

const notices: Readonly<Record<Exclude<ChangeVerb, "mkdir" | "rename">, string>> = {
  move: "moved",
  copy: "copied",
  publish: "published",
  claim: "claimed",
  delete: "deleted",
};

async function changeOne(view: UserView, request: ChangeRequest, name: string): Promise<void> {
  const { session, exchange } = view;
  const { verb, dir, to = "", keep } = request;
  const from = join(dir, name);
  if (verb === "delete") {
    await remove(session, from, true);
  } else if (verb === "move" || (verb !== "copy" && !keep)) {
    await move(session, from, join(to, name), "never");
  } else {
    await copyTree(session, from, join(to, name), "never", { signal: exchange.ended.signal });
  }
}

/** @throws {BargeError} `usage` for a path in place of a name */
function refuseSlash(name: string): void {
  if (!name.includes("/")) return;
  throw new BargeError("usage", "a name has no slash in it");
}
