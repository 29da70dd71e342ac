/** The accounts, for admins: each has a page of its own with what can be changed. */
import type { Account, Role } from "../../../storage/account.ts";
import { formatLimit, formatSize, parseSize } from "../../../size.ts";
import { BargeError } from "../../../error.ts";
import {
  addAccount as add,
  changeAccount,
  findAccount,
  listAccounts,
  ownedBy,
  removeAccount,
} from "../../../session/admin.ts";
import { statusOf } from "../problem.ts";
import { AdminShell } from "./admin_shell.tsx";
import { count, entriesOf, formatTime } from "./format.ts";
import { Csrf, Icon, Note, send } from "./layout.tsx";
import { checkPassword, NewPassword } from "./password.tsx";
import { wordsOf } from "./said.ts";
import { adminView, formOf, type PageContext, type UserView } from "./view.ts";

/** GET /admin/accounts. */
export async function showAccounts(c: PageContext): Promise<Response> {
  const view = await adminView(c);
  const accounts = await listAccounts(view.session);
  return await send(
    <AdminShell view={view} title="Accounts" tab="accounts">
      <div class="row bottom">
        <h1 class="grow">{count(accounts.length, "account")}</h1>
        <a class="b main" href="/admin/accounts/new" data-dialog>
          <Icon name="person" />Add
        </a>
      </div>
      <ul class="cards" id="accounts" data-live>
        {accounts.map((account) => <Row account={account} />)}
      </ul>
    </AdminShell>,
  );
}

function Row({ account }: { account: Account }) {
  const { name, role, disabled } = account;
  return (
    <li class="card item">
      <Icon name={role === "admin" ? "admin" : "person"} />
      <div class="grow">
        <div>
          <a href={`/admin/accounts/${name}`}>
            <strong>{name}</strong>
          </a>{" "}
          {role === "admin" && <span class="tag">admin</span>}
          {disabled && <span class="tag bad">disabled</span>}
        </div>
        <small>
          <LastLogin account={account} />
        </small>
      </div>
      <Used account={account} />
    </li>
  );
}

function LastLogin({ account: { lastLogin } }: { account: Account }) {
  if (lastLogin === null) return <>Never logged in</>;
  return (
    <>
      Last login: <time datetime={new Date(lastLogin).toISOString()}>{formatTime(lastLogin)}</time>
    </>
  );
}

function Used({ account: { name, used, reserved, limit } }: { account: Account }) {
  const taken = used + reserved;
  return (
    <div class="used">
      <span>
        <b>{formatSize(taken)}</b> {limit === null ? "used, no limit" : `of ${formatSize(limit)}`}
      </span>
      {limit !== null && (
        <meter
          min={0}
          max={Math.max(1, limit)}
          high={limit * 0.95}
          optimum={0}
          value={taken}
          aria-label={`${name} uses ${formatSize(taken)} of ${formatSize(limit)}`}
        />
      )}
    </div>
  );
}

/** GET /admin/accounts/new. */
export async function askAddAccount(c: PageContext): Promise<Response> {
  return await askAdd(await adminView(c), new URLSearchParams());
}

/** POST /admin/accounts/new. */
export async function addAccount(c: PageContext): Promise<Response> {
  const view = await adminView(c);
  const form = await formOf(view);
  try {
    const password = form.get("password") ?? "";
    checkPassword(view.store, password, form.get("again"));
    const limit = limitOf(form);
    const name = (form.get("name") ?? "").trim();
    const account = { name, password, role: roleOf(form), limit };
    await add(view.session, account, view.exchange.ended.signal);
    return c.redirect("/admin/accounts?said=added", 303);
  } catch (error) {
    if (!(error instanceof BargeError)) throw error;
    view.exchange.failed = error;
    return await askAdd(view, form, error);
  }
}

async function askAdd(
  view: UserView,
  form: URLSearchParams,
  failed?: BargeError,
): Promise<Response> {
  return await send(
    <AdminShell view={view} title="Add an account" tab="accounts">
      <form class="card ask" method="post" action="/admin/accounts/new" data-question>
        <h1>Add an account</h1>
        {failed && <Note bad>{wordsOf(failed)}</Note>}
        <Csrf view={view} />
        <div class="field">
          <label for="name">Name</label>
          <input
            id="name"
            name="name"
            value={form.get("name") ?? ""}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            maxlength={64}
            required
            autofocus
          />
        </div>
        <LimitField value={form.get("limit") ?? "1 GB"} />
        <RoleField role={roleOf(form)} />
        <NewPassword store={view.store} />
        <div class="row end">
          <a class="b flat" href="/admin/accounts" data-cancel>Cancel</a>
          <button type="submit" class="b main" data-default>Add</button>
        </div>
      </form>
    </AdminShell>,
    failed ? statusOf(failed) : 200,
  );
}

/** GET /admin/accounts/NAME. */
export async function showOne(c: PageContext): Promise<Response> {
  const view = await adminView(c);
  return await one(view, c.req.param("name") ?? "");
}

async function one(view: UserView, name: string, failed?: BargeError): Promise<Response> {
  const account = await findAccount(view.session, name);
  const { files } = await ownedBy(view.session, name);
  return await send(
    <AdminShell view={view} title={account.name} tab="accounts">
      <div class="stack narrow">
        <div class="row">
          <h1 class="grow">{account.name}</h1>
          {account.disabled && <span class="tag bad">disabled</span>}
          <a class="b flat" href="/admin/accounts">All accounts</a>
        </div>
        {failed && <Note bad>{wordsOf(failed)}</Note>}
        <section class="card stack" id="facts" data-live>
          <Used account={account} />
          <p class="soft">{entriesOf(account.entries, account.entryLimit)}</p>
          <p class="soft">
            {count(files, "file")}. <LastLogin account={account} />. Made:{" "}
            <time datetime={new Date(account.created).toISOString()}>
              {formatTime(account.created)}
            </time>
          </p>
        </section>
        <Change view={view} account={account} change="limit" title="Quota" label="Change it">
          <LimitField value={formatLimit(account.limit)} />
        </Change>
        <Change view={view} account={account} change="entries" title="Entries" label="Change it">
          <div class="field">
            <label for="entries">
              Files, folders and partial uploads <small>(200000, none)</small>
            </label>
            <input
              id="entries"
              name="entries"
              value={account.entryLimit ?? "none"}
              autocomplete="off"
              required
            />
          </div>
        </Change>
        {account.id === view.session.id
          ? (
            <p class="soft">
              This is you: <a href="/account">your password and logins</a>{" "}
              are on a page of their own.
            </p>
          )
          : <Others view={view} account={account} />}
      </div>
    </AdminShell>,
    failed ? statusOf(failed) : 200,
  );
}

/** What nobody should do to their own account by a slip. */
function Others({ view, account }: { view: UserView; account: Account }) {
  const { name, disabled, role } = account;
  return (
    <>
      <Change view={view} account={account} change="role" title="Role" label="Change it">
        <RoleField role={role} />
      </Change>
      <Change view={view} account={account} change="password" title="Password" label="Set it">
        <p class="soft">All logins and tokens of {name} end with the old one; SSH keys stay.</p>
        <NewPassword store={view.store} />
      </Change>
      <section class="card row">
        <p class="soft wide">
          {disabled
            ? "It can't log in; its files are kept."
            : "A disabled account can't log in; its files are kept."}
        </p>
        <form class="grow" method="post" action={`/admin/accounts/${name}/disabled`} data-act>
          <Csrf view={view} />
          <input type="hidden" name="disabled" value={disabled ? "no" : "yes"} />
          <button type="submit" class="b">{disabled ? "Enable" : "Disable"}</button>
        </form>
        <a class="b bad" href={`/admin/accounts/${name}/remove`} data-dialog>
          <Icon name="trash" />Remove
        </a>
      </section>
    </>
  );
}

function Change(
  { view, account, change, title, label, children }: {
    view: UserView;
    account: Account;
    change: string;
    title: string;
    label: string;
    children: unknown;
  },
) {
  return (
    <form
      class="card stack"
      method="post"
      action={`/admin/accounts/${account.name}/${change}`}
      data-act
    >
      <h2>{title}</h2>
      <Csrf view={view} />
      {children as string}
      <div class="row end">
        <button type="submit" class="b">{label}</button>
      </div>
    </form>
  );
}

function LimitField({ value }: { value: string }) {
  return (
    <div class="field">
      <label for="limit">
        Room <small>(500 MB, 20 GiB, none)</small>
      </label>
      <input id="limit" name="limit" value={value} autocomplete="off" required />
    </div>
  );
}

function RoleField({ role }: { role: Role }) {
  return (
    <div class="field">
      <label for="role">It is</label>
      <select id="role" name="role">
        <option value="user" selected={role === "user"}>a user</option>
        <option value="admin" selected={role === "admin"}>an admin: may do all of this</option>
      </select>
    </div>
  );
}

type Changer = (view: UserView, name: string, form: URLSearchParams) => Promise<unknown>;

/** What the forms do. */
const changes: Readonly<Record<string, Changer>> = {
  async limit({ session }, name, form) {
    await changeAccount(session, name, { limit: limitOf(form) });
  },
  async entries({ session }, name, form) {
    await changeAccount(session, name, { entryLimit: entryLimitOf(form) });
  },
  async role({ session }, name, form) {
    notOneself(session.name, name);
    await changeAccount(session, name, { role: roleOf(form) });
  },
  async disabled({ session }, name, form) {
    notOneself(session.name, name);
    await changeAccount(session, name, { disabled: form.get("disabled") === "yes" });
  },
  async password({ session, exchange }, name, form) {
    notOneself(session.name, name);
    const password = form.get("password") ?? "";
    checkPassword(session.store, password, form.get("again"));
    await changeAccount(session, name, { password }, exchange.ended.signal);
  },
  async remove({ session }, name) {
    notOneself(session.name, name);
    await removeAccount(session, name, { purge: false });
  },
};

/** POST /admin/accounts/NAME/CHANGE. */
export async function changeOne(c: PageContext): Promise<Response> {
  const view = await adminView(c);
  const form = await formOf(view);
  const name = c.req.param("name") ?? "";
  const change = c.req.param("change") ?? "remove";
  if (!Object.hasOwn(changes, change)) return c.notFound();
  try {
    await changes[change](view, name, form);
  } catch (error) {
    if (!(error instanceof BargeError) || error.kind === "not-found") throw error;
    view.exchange.failed = error;
    return change === "remove" ? await askRemove(view, name, error) : await one(view, name, error);
  }
  const [to, said] = change === "remove" ? ["", "removed"] : [`/${name}`, "changed"];
  return c.redirect(`/admin/accounts${to}?said=${said}`, 303);
}

/** GET /admin/accounts/NAME/remove. */
export async function askRemoveAccount(c: PageContext): Promise<Response> {
  return await askRemove(await adminView(c), c.req.param("name") ?? "");
}

async function askRemove(view: UserView, name: string, failed?: BargeError): Promise<Response> {
  const { files, bytes } = await ownedBy(view.session, name);
  return await send(
    <AdminShell view={view} title={`Remove ${name}`} tab="accounts">
      <form class="card ask" method="post" action={`/admin/accounts/${name}/remove`} data-question>
        <h1>Remove {name}?</h1>
        {failed && <Note bad>{wordsOf(failed)}</Note>}
        <p>
          It has {count(files, "file")},{" "}
          {formatSize(bytes)}. Its home is put aside under removed/ in the server's data directory;
          what it put into Public stays there, charged to nobody. Its tokens, links and
          half-finished uploads end.
        </p>
        <Csrf view={view} />
        <div class="row end">
          <a class="b flat" href={`/admin/accounts/${name}`} data-cancel>Cancel</a>
          <button type="submit" class="b bad" data-default>Remove</button>
        </div>
      </form>
    </AdminShell>,
    failed ? statusOf(failed) : 200,
  );
}

/** @throws {BargeError} `usage` */
function notOneself(own: string, name: string): void {
  if (own.toLowerCase() !== name.toLowerCase()) return;
  throw new BargeError("usage", "that is your own account: let another admin do it");
}

function limitOf(form: URLSearchParams): number | null {
  const text = (form.get("limit") ?? "").trim();
  if (text.toLowerCase() === "none") return null;
  const limit = parseSize(text);
  if (limit === undefined) {
    throw new BargeError("usage", "that is no size: 500 MB, 20 GiB, or none");
  }
  return limit;
}

/** @throws {BargeError} `usage` */
function entryLimitOf(form: URLSearchParams): number | null {
  const text = (form.get("entries") ?? "").replaceAll(/[\s,]/g, "").toLowerCase();
  if (text === "none") return null;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new BargeError("usage", "that is no number: 200000, or none");
}

function roleOf(form: URLSearchParams): Role {
  return form.get("role") === "admin" ? "admin" : "user";
}
