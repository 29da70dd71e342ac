/** Routes the URLs of the web interface. All of it but uploads works without JavaScript. */
import { Hono } from "hono";
import { explain } from "../../failure.ts";
import type { HttpEnv } from "../exchange.ts";
import { prefixPage } from "../prefix.ts";
import { statusOf } from "../problem.ts";
import { resource } from "../resource.ts";
import { admin } from "./admin.tsx";
import { showDetails } from "./details.tsx";
import { changeAccount, showAccount } from "./account.tsx";
import { serveAssets } from "./assets.ts";
import { showFolder } from "./folder.tsx";
import { change, showMkdir } from "./change.tsx";
import { CardPage, Note, send, Shell } from "./layout.tsx";
import { login, logout, makeAccount, showLogin, showRegister } from "./login.tsx";
import { sendInline } from "./inline_file.ts";
import { errorText } from "./messages.ts";
import { listPartialUploads } from "./partial_uploads.ts";
import { makeLink, revokeLink, showLinkForm, showLinks } from "./links.tsx";
import { changeSecondFactor, showEnabling } from "./second_factor/account.tsx";
import { shared } from "./share_link.tsx";
import { isUserView, NeedsLogin, type PageContext, setTheme, viewOf } from "./view.ts";

export function page(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.use(prefixPage);
  app.onError((error, c) => sendFailure(c, error));
  app.route("/", serveAssets());
  resource(app, "/", { GET: (c) => c.redirect("/files/home/", 303) });
  resource(app, "/login", { GET: showLogin, POST: login });
  resource(app, "/logout", { POST: logout });
  resource(app, "/register", { GET: showRegister, POST: makeAccount });
  resource(app, "/theme", { POST: setTheme });
  resource(app, "/account", { GET: showAccount });
  resource(app, "/account/second-factor", { GET: showEnabling });
  resource(app, "/account/second-factor/:change", { POST: changeSecondFactor });
  resource(app, "/account/:change", { POST: changeAccount });
  for (const path of ["/files", "/files/*"]) resource(app, path, { GET: showFolder });
  resource(app, "/about/*", { GET: showDetails });
  resource(app, "/raw/*", { GET: sendInline });
  resource(app, "/half", { GET: listPartialUploads });
  resource(app, "/links", { GET: showLinks });
  resource(app, "/links/new", { GET: showLinkForm, POST: makeLink });
  resource(app, "/links/revoke", { POST: revokeLink });
  app.route("/", shared());
  app.route("/", admin());
  resource(app, "/do/:verb", { GET: showMkdir, POST: change });
  return app;
}

/** Answers a failure with a page; redirects to the login if one is needed. */
async function sendFailure(c: PageContext, error: unknown): Promise<Response> {
  const exchange = c.env;
  if (error instanceof NeedsLogin) {
    const { path, query } = exchange.target;
    const back = exchange.method === "GET" ? `${path}${query && `?${query}`}` : "";
    const home = back === "" || back === "/files/home/";
    return c.redirect(home ? "/login" : `/login?back=${encodeURIComponent(back)}`, 303);
  }
  const failed = explain(error, {
    op: exchange.method,
    path: exchange.logEntry.path.slice(0, 3000),
  });
  exchange.failed = failed;
  const view = await viewOf(c);
  const title = statusOf(failed) === 404 ? "Nothing here" : "The request failed";
  const body = (
    <div class="stack">
      <h1>{title}</h1>
      <Note bad>{errorText(failed)}</Note>
      <p>
        <a class="b" href="/files/home/">Go to your home</a>
      </p>
    </div>
  );
  return await send(
    isUserView(view)
      ? <Shell view={view} title={title} section="none">{body}</Shell>
      : (
        <CardPage view={view} title={title}>
          <div class="card">{body}</div>
        </CardPage>
      ),
    failed,
  );
}
