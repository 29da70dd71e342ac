/** The admin pages: overview, accounts, connections, bans, audit trail. */
import { Hono } from "hono";
import { liftBans, listBans, ratesOf } from "../../../session/admin.ts";
import { auditPage } from "../../../session/audit.ts";
import { listNodes, status, statusSnapshot } from "../../../session/status.ts";
import type { HttpEnv } from "../exchange.ts";
import { resource } from "../resource.ts";
import { AuditTrail, Bans, Connections } from "./admin_lists.tsx";
import { AdminShell } from "./admin_shell.tsx";
import {
  addAccount,
  changeOne,
  showAccounts,
  showAddAccount,
  showOne,
  showRemoveAccount,
} from "./admin_accounts.tsx";
import { Overview } from "./overview.tsx";
import { send } from "./layout.tsx";
import { adminView, formOf, type PageContext } from "./view.ts";

export function admin(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  resource(app, "/admin", { GET: showOverview });
  resource(app, "/admin/accounts", { GET: showAccounts });
  resource(app, "/admin/accounts/new", { GET: showAddAccount, POST: addAccount });
  resource(app, "/admin/accounts/:name", { GET: showOne });
  resource(app, "/admin/accounts/:name/remove", { GET: showRemoveAccount, POST: changeOne });
  resource(app, "/admin/accounts/:name/:change", { POST: changeOne });
  resource(app, "/admin/connections", { GET: showConnections });
  resource(app, "/admin/bans", { GET: showBans });
  resource(app, "/admin/bans/lift", { POST: liftBan });
  resource(app, "/admin/audit", { GET: showAudit });
  return app;
}

/** GET /admin. */
async function showOverview(c: PageContext): Promise<Response> {
  const view = await adminView(c);
  view.exchange.logEntry.verb = "status";
  const span = view.query.get("span") === "day" ? "day" : "hour";
  const snapshot = await statusSnapshot(view.session);
  const rates = await ratesOf(view.session, span);
  const nodes = await listNodes(view.session);
  return await send(
    <AdminShell view={view} title="Overview" tab="overview">
      <Overview snapshot={snapshot} rates={rates} span={span} nodes={nodes} />
    </AdminShell>,
  );
}

/** GET /admin/connections. */
async function showConnections(c: PageContext): Promise<Response> {
  const view = await adminView(c);
  view.exchange.logEntry.verb = "status";
  const { sessions, snapshot } = await status(view.session);
  const open = snapshot.doors.reduce((sum, door) => sum + door.open, 0);
  return await send(
    <AdminShell view={view} title="Connections" tab="connections">
      <Connections sessions={sessions} open={open} node={snapshot.node?.name} />
    </AdminShell>,
  );
}

/** GET /admin/bans. */
async function showBans(c: PageContext): Promise<Response> {
  const view = await adminView(c);
  const bans = await listBans(view.session);
  return await send(
    <AdminShell view={view} title="Bans" tab="bans">
      <Bans view={view} bans={bans} />
    </AdminShell>,
  );
}

/** POST /admin/bans/lift. */
async function liftBan(c: PageContext): Promise<Response> {
  const view = await adminView(c);
  const form = await formOf(view);
  const lifted = await liftBans(view.session, form.get("subject") ?? "");
  const notice = lifted.length === 0 ? "" : `?notice=lifted.${lifted.length}`;
  return c.redirect(`/admin/bans${notice}`, 303);
}

/** The records of one page of the audit trail. */
const auditPageRecords = 50;

/** GET /admin/audit. */
async function showAudit(c: PageContext): Promise<Response> {
  const view = await adminView(c);
  view.exchange.logEntry.verb = "audit";
  const account = view.query.get("account") ?? "";
  const before = Number(view.query.get("before") ?? NaN);
  const page = await auditPage(view.session, {
    account: account === "" ? undefined : account,
    before: Number.isSafeInteger(before) && before >= 0 ? before : undefined,
    limit: auditPageRecords,
  });
  return await send(
    <AdminShell view={view} title="Audit" tab="audit">
      <AuditTrail {...page} account={account} />
    </AdminShell>,
  );
}
