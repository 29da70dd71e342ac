/**
 * What a share link leads to: /s/TOKEN, for whoever has it. All links that lead nowhere are answered
 * alike. Where there is a password it is asked for once; a cookie for this one link knows it then.
 * Programs may send it by Basic instead, with any name.
 *
 * A download is held to its owner's rate, but takes none of the owner's places at the gate: no stranger
 * can keep them out. So each worker gives it the whole rate while the owner is not connected.
 *
 *   /s/TOKEN             the file, or the folder's entries
 *   /s/TOKEN/in/PATH/    of a folder: one inside it
 *   /s/TOKEN/get/PATH    the bytes of a file; counted
 *   /s/TOKEN/zip/PATH/   a folder, as one file; counted
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
import { stat } from "../../../session/stat.ts";
import { attachment, sendArchive } from "../archive.ts";
import { credentials } from "../auth.ts";
import { sendFile } from "../download.ts";
import type { HttpEnv } from "../exchange.ts";
import { treePath } from "../path.ts";
import { statusOf } from "../problem.ts";
import { type Handler, resource } from "../resource.ts";
import { Gate, send } from "./layout.tsx";
import { listing, wantedOf } from "./listing.ts";
import { errorText } from "./messages.ts";
import { AskPassword, Nowhere, SharedFile, SharedFolder } from "./share_link_view.tsx";
import { formOf, type PageContext, viewOf } from "./view.ts";

const cookie = "barge-link";

export function shared(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  resource(app, "/s/:token", { GET: orNowhere(show), POST: orNowhere(giveUnlock) });
  resource(app, "/s/:token/in/*", { GET: orNowhere(show) });
  resource(app, "/s/:token/get/*", { GET: orNowhere(getFile) });
  resource(app, "/s/:token/zip/*", { GET: orNowhere(getZip) });
  return app;
}

/** One page for all that is not there. */
function orNowhere(handle: (c: PageContext) => Promise<Response>): Handler {
  return async (c) => {
    try {
      return await handle(c);
    } catch (error) {
      if (!(error instanceof BargeError) || statusOf(error) !== 404) throw error;
      c.env.failed = error;
      const view = await viewOf(c);
      return await send(
        <Gate view={view} title="Nothing here">
          <Nowhere />
        </Gate>,
        404,
      );
    }
  };
}

/** Follows the link; the access log gets a name of it that leads nowhere. */
async function follow(
  c: PageContext,
): Promise<{ link: OpenLink; url: string; rest: string }> {
  const exchange = c.env;
  const token = c.req.param("token") ?? "";
  const url = `/s/${token}`;
  exchange.asked.path = "/s/...";
  if (!/^[\w-]{43}$/.test(token)) throw nowhere();
  const link = await openShare(exchange.store, token);
  const rest = exchange.target.path.slice(url.length).replace(/^\/(in|get|zip)/, "");
  exchange.asked.path = `/s/${link.share.id}${rest}`;
  return { link, url, rest };
}

/** Has the visitor shown the password, where there is one? */
async function mayEnter(c: PageContext, link: OpenLink): Promise<boolean> {
  const exchange = c.env;
  if (await isUnlocked(link, getCookie(c, cookie) ?? "")) return true;
  const given = credentials(exchange.header("authorization"));
  if (given?.scheme !== "basic") return false;
  const { host, ended: { signal } } = exchange;
  await unlock(link, given.secret, host, (ms) => exchange.pause(ms), signal);
  return true;
}

/** GET /s/TOKEN, GET /s/TOKEN/in/PATH/. */
async function show(c: PageContext): Promise<Response> {
  const { link, url, rest } = await follow(c);
  if (link.usedUp) throw nowhere();
  if (!await mayEnter(c, link)) return await askPassword(c);
  const view = await viewOf(c);
  const { entry, session } = link;
  if (entry.type === "file") {
    if (rest !== "") throw nowhere();
    return await send(
      <Gate view={view} title={entry.name}>
        <SharedFile link={link} url={url} />
      </Gate>,
    );
  }
  const { path: below, folder } = rest === "" ? { path: "/", folder: true } : treePath(rest);
  const path = pathIn(link, below);
  if (!folder || stat(session, path).entry?.type !== "dir") throw nowhere();
  const listed = await listing(session, path, wantedOf(view.query));
  return await send(
    <Gate view={view} title={entry.name} wide>
      <SharedFolder link={link} url={url} below={below} listed={listed} />
    </Gate>,
  );
}

/** POST /s/TOKEN: the password. */
async function giveUnlock(c: PageContext): Promise<Response> {
  const { link, url } = await follow(c);
  if (link.usedUp) throw nowhere();
  const view = await viewOf(c);
  const { exchange } = view;
  const form = await formOf(view);
  try {
    const password = form.get("password") ?? "";
    const { host, ended: { signal } } = exchange;
    const proof = await unlock(link, password, host, (ms) => exchange.pause(ms), signal);
    setCookie(c, cookie, proof, {
      path: url,
      httpOnly: true,
      secure: exchange.secure,
      sameSite: "Lax",
      maxAge: unlockedMs / 1000,
    });
    return c.redirect(url, 303);
  } catch (error) {
    if (!(error instanceof BargeError)) throw error;
    exchange.failed = error;
    return await askPassword(c, error);
  }
}

async function askPassword(c: PageContext, failed?: BargeError): Promise<Response> {
  const view = await viewOf(c);
  const words = failed?.kind === "unauthenticated"
    ? "That is not the password."
    : failed && errorText(failed);
  return await send(
    <Gate view={view} title="A shared link">
      <AskPassword view={view} url={`/s/${c.req.param("token")}`} error={words} />
    </Gate>,
    failed ? statusOf(failed) : 200,
  );
}

/** GET /s/TOKEN/get/PATH. */
async function getFile(c: PageContext): Promise<Response> {
  const exchange = c.env;
  const { link, url, rest } = await follow(c);
  const { session } = link;
  const range = exchange.header("range") !== undefined;
  if (link.usedUp && !(range && exchange.method === "GET")) throw nowhere();
  if (!await mayEnter(c, link)) return c.redirect(url, 303);
  const { path: below } = treePath(rest);
  const path = pathIn(link, below);
  if (stat(session, path).entry?.type !== "file") throw nowhere();
  const visitor = exchange.visit(session);
  exchange.asked.verb = "get";
  const headers = { "content-disposition": attachment(path.slice(path.lastIndexOf("/") + 1)) };
  const begin = async (version: string, from: number) => {
    await countDownload(link, { host: exchange.host, version, later: from > 0 });
  };
  return await sendFile(visitor, path, headers, { begin });
}

/** GET /s/TOKEN/zip/PATH/. */
async function getZip(c: PageContext): Promise<Response> {
  const exchange = c.env;
  const { link, url, rest } = await follow(c);
  if (link.usedUp || link.share.kind !== "dir") throw nowhere();
  if (!await mayEnter(c, link)) return c.redirect(url, 303);
  const { path: below } = treePath(rest);
  const path = pathIn(link, below);
  const { session } = link;
  if (stat(session, path).entry?.type !== "dir") throw nowhere();
  const visitor = exchange.visit(session);
  exchange.asked.verb = "get";
  if (exchange.method === "GET") {
    await countDownload(link, { host: exchange.host, version: null, later: false });
  }
  return sendArchive(visitor, path, "zip");
}
