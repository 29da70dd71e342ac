/** The pages about accounts, for admins: each account has one, with the changes to it. */
import type { Role } from "../../../storage/account.ts";
import { parseDay } from "../../../protocol/time.ts";
import { parseSize } from "../../../size.ts";
import { BargeError } from "../../../error.ts";
import {
  addAccount as add,
  changeAccount,
  findAccount,
  listAccounts,
  ownedBy,
  removeAccount,
} from "../../../session/admin.ts";
import {
  AccountList,
  AccountPage,
  AddAccountForm,
  type NewAccountFields,
  RemoveAccountForm,
} from "./admin_account_views.tsx";
import { newPasswordOf } from "./form.tsx";
import { send } from "./layout.tsx";
import { adminView, formFailure, formOf, type PageContext, type UserView } from "./view.ts";

/** GET /admin/accounts. */
export async function showAccounts(c: PageContext): Promise<Response> {
  const view = await adminView(c);
  return await send(<AccountList view={view} accounts={await listAccounts(view.session)} />);
}

/** GET /admin/accounts/new. */
export async function showAddAccount(c: PageContext): Promise<Response> {
  const fields = { name: "", limit: "1 GB", role: "user" } as const;
  return await send(<AddAccountForm view={await adminView(c)} fields={fields} />);
}

/** POST /admin/accounts/new. */
export async function addAccount(c: PageContext): Promise<Response> {
  const view = await adminView(c);
  const form = await formOf(view);
  try {
    const account = {
      name: (form.get("name") ?? "").trim(),
      password: newPasswordOf(view.store, form),
      role: roleOf(form),
      limit: limitOf(form),
    };
    await add(view.session, account, view.exchange.ended.signal);
    return c.redirect("/admin/accounts?notice=added", 303);
  } catch (error) {
    const failed = formFailure(view, error);
    const fields: NewAccountFields = {
      name: form.get("name") ?? "",
      limit: form.get("limit") ?? "1 GB",
      role: roleOf(form),
    };
    return await send(<AddAccountForm view={view} fields={fields} failed={failed} />, failed);
  }
}

/** GET /admin/accounts/NAME. */
export async function showOne(c: PageContext): Promise<Response> {
  return await sendAccount(await adminView(c), c.req.param("name") ?? "");
}

async function sendAccount(view: UserView, name: string, failed?: BargeError): Promise<Response> {
  const account = await findAccount(view.session, name);
  const { files } = await ownedBy(view.session, name);
  return await send(
    <AccountPage view={view} account={account} files={files} failed={failed} />,
    failed,
  );
}

type Change = (view: UserView, name: string, form: URLSearchParams) => Promise<unknown>;

/** The changes by their form's name. */
const changes: Readonly<Record<string, Change>> = {
  async limit({ session }, name, form) {
    await changeAccount(session, name, { limit: limitOf(form) });
  },
  async entries({ session }, name, form) {
    await changeAccount(session, name, { entryLimit: entryLimitOf(form) });
  },
  async access({ session }, name, form) {
    await changeAccount(session, name, { expires: expiresOf(form), from: fromOf(form) });
  },
  async totp({ session }, name) {
    await changeAccount(session, name, { totp: false });
  },
  async role({ session }, name, form) {
    refuseOwnAccount(session.name, name);
    await changeAccount(session, name, { role: roleOf(form) });
  },
  async disabled({ session }, name, form) {
    refuseOwnAccount(session.name, name);
    await changeAccount(session, name, { disabled: form.get("disabled") === "yes" });
  },
  async password({ session, exchange }, name, form) {
    refuseOwnAccount(session.name, name);
    const password = newPasswordOf(session.store, form);
    await changeAccount(session, name, { password }, exchange.ended.signal);
  },
  async remove({ session }, name) {
    refuseOwnAccount(session.name, name);
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
    const failed = formFailure(view, error);
    if (failed.kind === "not-found") throw error;
    return await (change === "remove" ? sendRemove : sendAccount)(view, name, failed);
  }
  const [to, notice] = change === "remove" ? ["", "removed"] : [`/${name}`, "changed"];
  return c.redirect(`/admin/accounts${to}?notice=${notice}`, 303);
}

/** GET /admin/accounts/NAME/remove. */
export async function showRemoveAccount(c: PageContext): Promise<Response> {
  return await sendRemove(await adminView(c), c.req.param("name") ?? "");
}

async function sendRemove(view: UserView, name: string, failed?: BargeError): Promise<Response> {
  const { files, bytes } = await ownedBy(view.session, name);
  return await send(
    <RemoveAccountForm view={view} name={name} files={files} bytes={bytes} failed={failed} />,
    failed,
  );
}

/** @throws {BargeError} `usage` */
function refuseOwnAccount(own: string, name: string): void {
  if (own.toLowerCase() !== name.toLowerCase()) return;
  throw new BargeError("usage", "this is your own account; ask another admin to change it");
}

function limitOf(form: URLSearchParams): number | null {
  const text = (form.get("limit") ?? "").trim();
  if (text.toLowerCase() === "none") return null;
  const limit = parseSize(text);
  if (limit === undefined) {
    throw new BargeError("usage", "that is not a size, such as 500 MB, 20 GiB or none");
  }
  return limit;
}

/** @throws {BargeError} `usage` */
function entryLimitOf(form: URLSearchParams): number | null {
  const text = (form.get("entries") ?? "").replaceAll(/[\s,]/g, "").toLowerCase();
  if (text === "none") return null;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new BargeError("usage", "that is not a number, such as 200000, or none");
}

/** @throws {BargeError} `usage` */
function expiresOf(form: URLSearchParams): number | null {
  const text = (form.get("expires") ?? "").trim();
  if (/^(none)?$/i.test(text)) return null;
  const end = parseDay(text);
  if (end !== undefined) return end;
  throw new BargeError("usage", "that is not a day, such as 2027-01-31, or none");
}

function fromOf(form: URLSearchParams): string[] | null {
  const texts = (form.get("from") ?? "").split(/[\s,]+/).filter(Boolean);
  return texts.length === 0 || texts[0].toLowerCase() === "none" ? null : texts;
}

function roleOf(form: URLSearchParams): Role {
  return form.get("role") === "admin" ? "admin" : "user";
}
