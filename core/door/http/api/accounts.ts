/** Operations on all accounts, for admins. */
import * as v from "valibot";
import type { Account } from "../../../storage/account.ts";
import {
  addAccount,
  changeAccount,
  findAccount,
  listAccounts,
  removeAccount,
} from "../../../session/admin.ts";
import { BargeError } from "../../../error.ts";
import { parseDay } from "../../../protocol/time.ts";
import { json, operation } from "./operation.ts";
import * as schemas from "./schemas.ts";

const notAdmin = { 403: "Only for admins" };
const unknownAccount = { ...notAdmin, 404: "There is no such account" };

export const accounts = [
  operation("GET", "/accounts", {
    id: "accounts",
    summary: "List all accounts, by name",
    answers: { 200: { description: "The accounts", schema: schemas.accounts } },
    problems: notAdmin,
    handle: async ({ session }) =>
      json({ accounts: (await listAccounts(session)).map(accountJson) }),
  }),
  operation("POST", "/accounts", {
    id: "addAccount",
    summary: "Create an account",
    body: schemas.newAccount,
    answers: { 201: { description: "The account was created", schema: schemas.accountFacts } },
    problems: { 400: "The password is too short", 409: "The name is taken", ...notAdmin },
    async handle({ session, ended }, { body }) {
      const account = await addAccount(session, withEnd(body), ended.signal);
      return json(accountJson(account), { status: 201 });
    },
  }),
  operation("GET", "/accounts/{name}", {
    id: "account",
    summary: "Get an account",
    answers: { 200: { description: "The account", schema: schemas.accountFacts } },
    problems: unknownAccount,
    handle: async ({ session }, { pathParameter: name }) =>
      json(accountJson(await findAccount(session, name))),
  }),
  operation("PATCH", "/accounts/{name}", {
    id: "changeAccount",
    summary: "Change the given fields of an account; a new password ends its logins and tokens",
    body: schemas.accountChange,
    answers: { 200: { description: "The changed account", schema: schemas.accountFacts } },
    problems: { 400: "The password is too short", ...unknownAccount },
    async handle({ session, ended }, { pathParameter: name, body }) {
      return json(accountJson(await changeAccount(session, name, withEnd(body), ended.signal)));
    },
  }),
  operation("DELETE", "/accounts/{name}", {
    id: "removeAccount",
    summary: "Remove an account; its home is moved to removed/ in the data directory",
    query: v.object({ purge: schemas.flag }),
    answers: { 200: { description: "The account was removed", schema: schemas.removedAccount } },
    problems: unknownAccount,
    async handle({ session }, { pathParameter: name, query: { purge } }) {
      const { kept, files, bytes } = await removeAccount(session, name, { purge });
      return json({ name, kept: kept !== null, files, bytes });
    },
  }),
];

/** Reads the end of an account in a body. @throws {BargeError} `usage` */
function withEnd<T extends { readonly expires?: string | null }>(
  { expires, ...body }: T,
): Omit<T, "expires"> & { readonly expires?: number | null } {
  if (expires === undefined || expires === null) return { ...body, expires };
  const end = parseDay(expires);
  if (end !== undefined) return { ...body, expires: end };
  throw new BargeError("usage", `${JSON.stringify(expires)} is no day and no time`, {
    hint: "2027-01-31, or a time in the format of RFC 3339",
  });
}

function accountJson({ name, role, disabled, used, reserved, limit, ...account }: Account) {
  const { entries, entryLimit, expired, from, totp } = account;
  const created = new Date(account.created).toISOString();
  const expires = account.expires === null ? null : new Date(account.expires).toISOString();
  const limits = { entries, entryLimit, expires, expired, from: from && [...from] };
  return { name, role, disabled, used, reserved, limit, created, ...limits, totp };
}
