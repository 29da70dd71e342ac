/** The page at `/`: its URLs. Rendered here and complete without script; the script makes it quicker. */
import { Hono } from "hono";
import { typed } from "../../../error.ts";
import { explain } from "../../failure.ts";
import type { HttpEnv } from "../exchange.ts";
import { prefixPage } from "../prefix.ts";
import { statusOf } from "../problem.ts";
import { resource } from "../resource.ts";
import { admin } from "./admin.tsx";
import { about } from "./details.tsx";
import { changeAccount, showAccount } from "./account.tsx";
import { serveAssets } from "./assets.ts";
import { browse } from "./folder.tsx";
import { askMkdir, change } from "./change.tsx";
import { Gate, Note, send, Shell } from "./layout.tsx";
import { login, logout, makeAccount, showLogin, showRegister } from "./login.tsx";
import { raw } from "./inline_file.ts";
import { errorText } from "./messages.ts";
import { setTheme } from "./theme.ts";
import { half } from "./partial_uploads.ts";
import { askLink, makeLink, revokeLink, showLinks } from "./links.tsx";
import { shared } from "./share_link.tsx";
import { isUserView, NeedsLogin, type PageContext, viewOf } from "./view.ts";

export function page(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.use(prefixPage);
  app.onError((error, c) => failed(c, error));
  app.route("/", serveAssets());
  resource(app, "/", { GET: (c) => c.redirect("/files/home/", 303) });
  resource(app, "/login", { GET: showLogin, POST: login });
  resource(app, "/logout", { POST: logout });
  resource(app, "/register", { GET: showRegister, POST: makeAccount });
  resource(app, "/theme", { POST: setTheme });
  resource(app, "/account", { GET: showAccount });
  resource(app, "/account/:change", { POST: changeAccount });
  for (const path of ["/files", "/files/*"]) resource(app, path, { GET: browse });
  resource(app, "/about/*", { GET: about });
  resource(app, "/raw/*", { GET: raw });
  resource(app, "/half", { GET: half });
  resource(app, "/links", { GET: showLinks });
  resource(app, "/links/new", { GET: askLink, POST: makeLink });
  resource(app, "/links/revoke", { POST: revokeLink });
  app.route("/", shared());
  app.route("/", admin());
  resource(app, "/do/:verb", { GET: askMkdir, POST: change });
  return app;
}

/** A failure as a page; one who has to log in is led there, and back. */
async function failed(c: PageContext, error: unknown): Promise<Response> {
  const { exchange } = { exchange: c.env };
  if (error instanceof NeedsLogin) {
    const { path, query } = exchange.target;
    const back = exchange.method === "GET" ? `${path}${query && `?${query}`}` : "";
    const home = back === "" || back === "/files/home/";
    return c.redirect(home ? "/login" : `/login?back=${encodeURIComponent(back)}`, 303);
  }
  const told = explain(error, { op: exchange.method, path: exchange.asked.path.slice(0, 3000) });
  exchange.failed = told;
  const status = statusOf(told);
  const view = await viewOf(c);
  const missing = status === 404;
  const title = missing ? "Nothing here" : "That did not work";
  const body = (
    <div class="stack">
      <h1>{title}</h1>
      <Note bad>{errorText(typed(told))}</Note>
      <p>
        <a class="b" href="/files/home/">To your home</a>
      </p>
    </div>
  );
  return await send(
    isUserView(view)
      ? <Shell view={view} title={title} section="none">{body}</Shell>
      : (
        <Gate view={view} title={title}>
          <div class="card">{body}</div>
        </Gate>
      ),
    status,
  );
}
