/**
 * The page's scripts, styles and icons, embedded because a worker may only read the data directory. Their
 * URL changes with their content, so a browser fetches them once.
 */
import { createHash } from "node:crypto";
import { Hono } from "hono";
import admin from "./assets/admin.css" with { type: "text" };
import base from "./assets/base.css" with { type: "text" };
import files from "./assets/files.css" with { type: "text" };
import over from "./assets/overlays.css" with { type: "text" };
import phone from "./assets/phone.css" with { type: "text" };
import shell from "./assets/shell.css" with { type: "text" };
import icon from "./assets/icon.svg" with { type: "text" };
import icons from "./assets/icons.svg" with { type: "text" };
import main from "./assets/main.js" with { type: "text" };
import folder from "./assets/folder.js" with { type: "text" };
import live from "./assets/live.js" with { type: "text" };
import panel from "./assets/panel.js" with { type: "text" };
import picked from "./assets/chosen_files.js" with { type: "text" };
import root from "./assets/root.js" with { type: "text" };
import transfer from "./assets/transfer.js" with { type: "text" };
import type { HttpEnv } from "../exchange.ts";
import { unknownUrl } from "../problem.ts";
import { resource } from "../resource.ts";

const script = "text/javascript; charset=utf-8";
const image = "image/svg+xml";

const assets: Readonly<Record<string, readonly [text: string, type: string]>> = {
  "page.css": [base + shell + files + over + admin + phone, "text/css; charset=utf-8"],
  "icon.svg": [icon, image],
  "icons.svg": [icons, image],
  "main.js": [main, script],
  "folder.js": [folder, script],
  "live.js": [live, script],
  "panel.js": [panel, script],
  "chosen_files.js": [picked, script],
  "root.js": [root, script],
  "transfer.js": [transfer, script],
};

const version = createHash("sha256").update(JSON.stringify(assets)).digest("hex").slice(0, 12);
const prefix = `/assets/${version}`;

/** Returns the URL of an asset. */
export function asset(name: keyof typeof assets & string): string {
  return `${prefix}/${name}`;
}

/** Serves the assets; redirects from the URL of another version. */
export function serveAssets(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  resource(app, "/assets/:version/:name", {
    GET(c) {
      const name = c.req.param("name") ?? "";
      if (!Object.hasOwn(assets, name)) throw unknownUrl();
      if (c.req.param("version") !== version) return c.redirect(asset(name));
      const [text, type] = assets[name];
      const etag = `"${version}"`;
      const headers = {
        etag,
        "content-type": type,
        "cache-control": "public, max-age=31536000, immutable",
        "content-security-policy": "default-src 'none'; sandbox",
      };
      if (c.req.header("if-none-match")?.includes(etag)) {
        return new Response(null, { status: 304, headers });
      }
      return new Response(text, { headers });
    },
  });
  resource(app, "/favicon.ico", { GET: (c) => c.redirect(asset("icon.svg")) });
  return app;
}
