/**
 * Share links: /s/TOKEN, for everyone who has the link. All invalid links get the same answer. A cookie
 * replaces a link's password after its first use; programs may send the password by Basic, with any name.
 * Downloads are limited to the owner's rate, and take none of the owner's places at the gate.
 *
 *   /s/TOKEN             the file, or the folder's entries
 *   /s/TOKEN/in/PATH/    a folder inside the shared one
 *   /s/TOKEN/get/PATH    the bytes of a file; counts as a download
 *   /s/TOKEN/zip/PATH/   a folder as a zip; counts as a download
 */
import { getCookie, setCookie } from "hono/cookie";
import { Hono } from "hono";
import { BargeError } from "../../../error.ts";
import {
  countDownload,
  isUnlocked,
  nowhere,
  type OpenLink,
  openShare,
  pathIn,
  unlock,
  unlockedMs,
} from "../../../session/share.ts";
import type { Entry } from "../../../protocol/message.ts";
import { stat } from "../../../session/stat.ts";
import { attachment, sendArchive } from "../archive.ts";
import { credentials } from "../auth.ts";
import { sendFile } from "../download.ts";
import type { HttpEnv } from "../exchange.ts";
import { split, treePath } from "../path.ts";
import { statusOf } from "../problem.ts";
import { resource } from "../resource.ts";
import { CardPage, send } from "./layout.tsx";
import { listing, listingQueryOf } from "./listing.ts";
import { errorText } from "./messages.ts";
import { AskPassword, InvalidLink, SharedFile, SharedFolder } from "./share_link_view.tsx";
import { formFailure, formOf, type PageContext, viewOf } from "./view.ts";

const unlockCookie = "barge-link";

export function shared(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.onError(async (error, c) => {
    if (!(error instanceof BargeError) || statusOf(error) !== 404) throw error;
    c.env.failed = error;
    return await send(
      <CardPage view={await viewOf(c)} title="Link not valid">
        <InvalidLink />
      </CardPage>,
      error,
    );
  });
  resource(app, "/s/:token", { GET: show, POST: enterPassword });
  resource(app, "/s/:token/in/*", { GET: show });
  resource(app, "/s/:token/get/*", { GET: (c) => download(c, "file") });
  resource(app, "/s/:token/zip/*", { GET: (c) => download(c, "dir") });
  return app;
}

/** Opens the link. The access log records its id in place of its token. */
async function openLink(c: PageContext): Promise<{ link: OpenLink; url: string; rest: string }> {
  const exchange = c.env;
  const token = c.req.param("token") ?? "";
  const url = `/s/${token}`;
  exchange.logEntry.path = "/s/...";
  if (!/^[\w-]{43}$/.test(token)) throw nowhere();
  const link = await openShare(exchange.store, token);
  const rest = exchange.target.path.slice(url.length).replace(/^\/(in|get|zip)/, "");
  exchange.logEntry.path = `/s/${link.share.id}${rest}`;
  return { link, url, rest };
}

/** Returns whether the visitor has given the password, if the link has one. */
async function isAdmitted(c: PageContext, link: OpenLink): Promise<boolean> {
  const exchange = c.env;
  if (await isUnlocked(link, getCookie(c, unlockCookie) ?? "")) return true;
  const field = exchange.header("authorization");
  const sent = field === undefined ? undefined : credentials(field);
  if (sent?.scheme !== "basic") return false;
  const { host, ended: { signal }, pause } = exchange;
  await unlock(link, sent.secret, host, pause, signal);
  return true;
}

/** GET /s/TOKEN, GET /s/TOKEN/in/PATH/. */
async function show(c: PageContext): Promise<Response> {
  const { link, url, rest } = await openLink(c);
  if (link.usedUp) throw nowhere();
  if (!await isAdmitted(c, link)) return await askPassword(c);
  const view = await viewOf(c);
  const { entry, session } = link;
  if (entry.type === "file") {
    if (rest !== "") throw nowhere();
    return await send(
      <CardPage view={view} title={entry.name}>
        <SharedFile link={link} url={url} />
      </CardPage>,
    );
  }
  const { path: below, folder } = treePath(rest);
  if (!folder) throw nowhere();
  const path = await pathOf(link, rest, "dir");
  const listed = await listing(session, path, listingQueryOf(view.query));
  return await send(
    <CardPage view={view} title={entry.name} wide>
      <SharedFolder link={link} url={url} below={below} listed={listed} />
    </CardPage>,
  );
}

/** POST /s/TOKEN: the password. */
async function enterPassword(c: PageContext): Promise<Response> {
  const { link, url } = await openLink(c);
  if (link.usedUp) throw nowhere();
  const view = await viewOf(c);
  const { exchange } = view;
  const form = await formOf(view);
  try {
    const password = form.get("password") ?? "";
    const { host, ended: { signal }, pause } = exchange;
    const proof = await unlock(link, password, host, pause, signal);
    setCookie(c, unlockCookie, proof, {
      path: url,
      httpOnly: true,
      secure: exchange.secure,
      sameSite: "Lax",
      maxAge: unlockedMs / 1000,
    });
    return c.redirect(url, 303);
  } catch (error) {
    return await askPassword(c, formFailure(view, error));
  }
}

async function askPassword(c: PageContext, failed?: BargeError): Promise<Response> {
  const view = await viewOf(c);
  const text = failed?.kind === "unauthenticated"
    ? "The password is wrong."
    : failed && errorText(failed);
  return await send(
    <CardPage view={view} title="A shared link">
      <AskPassword view={view} url={`/s/${c.req.param("token")}`} error={text} />
    </CardPage>,
    failed,
  );
}

/** GET /s/TOKEN/get/PATH, GET /s/TOKEN/zip/PATH/. */
async function download(c: PageContext, type: Entry["type"]): Promise<Response> {
  const exchange = c.env;
  const { host, method } = exchange;
  const { link, url, rest } = await openLink(c);
  const resumes = type === "file" && method === "GET" && exchange.header("range") !== undefined;
  if (link.usedUp && !resumes || type === "dir" && link.share.kind !== "dir") throw nowhere();
  if (!await isAdmitted(c, link)) return c.redirect(url, 303);
  const path = await pathOf(link, rest, type);
  const visitor = exchange.visit(link.session);
  exchange.logEntry.verb = "get";
  const begin = async (version: string | null, from: number) => {
    await countDownload(link, { host, version, later: from > 0 });
  };
  if (type === "file") {
    const headers = { "content-disposition": attachment(split(path).name) };
    return await sendFile(visitor, path, headers, { begin });
  }
  if (method === "GET") await begin(null, 0);
  return await sendArchive(visitor, path, "zip");
}

/** Returns the path of the tree in a link's URL. @throws {BargeError} `not-found` for another type */
async function pathOf(link: OpenLink, rest: string, type: Entry["type"]): Promise<string> {
  const path = pathIn(link, treePath(rest).path);
  if ((await stat(link.session, path)).entry?.type === type) return path;
  throw nowhere();
}
