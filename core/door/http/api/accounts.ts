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
import { json, operation } from "./operation.ts";
import * as schemas from "./schemas.ts";

const unknownAccount = {
  404: { description: "There is no such account", schema: schemas.problem },
};
const notAdmin = { 403: { description: "Only for admins", schema: schemas.problem } };

export const accounts = [
  operation({
    method: "GET",
    path: "/accounts",
    id: "accounts",
    summary: "List all accounts, by name",
    login: true,
    answers: { 200: { description: "The accounts", schema: schemas.accounts }, ...notAdmin },
    handle: async ({ session }) => json({ accounts: (await listAccounts(session)).map(factsOf) }),
  }),
  operation({
    method: "POST",
    path: "/accounts",
    id: "addAccount",
    summary: "Create an account",
    login: true,
    body: schemas.newAccount,
    answers: {
      201: { description: "The account was created", schema: schemas.accountFacts },
      400: { description: "The password is too short", schema: schemas.problem },
      409: { description: "The name is taken", schema: schemas.problem },
      ...notAdmin,
    },
    async handle({ session, ended }, { body }) {
      const account = await addAccount(session, body, ended.signal);
      return json(factsOf(account), { status: 201 });
    },
  }),
  operation({
    method: "GET",
    path: "/accounts/{name}",
    id: "account",
    summary: "Get an account",
    login: true,
    answers: {
      200: { description: "Its facts", schema: schemas.accountFacts },
      ...notAdmin,
      ...unknownAccount,
    },
    handle: async ({ session }, { rest }) => json(factsOf(await findAccount(session, rest))),
  }),
  operation({
    method: "PATCH",
    path: "/accounts/{name}",
    id: "changeAccount",
    summary: "Change the given fields of an account; a new password ends its logins and tokens",
    login: true,
    body: schemas.accountChange,
    answers: {
      200: { description: "Its new facts", schema: schemas.accountFacts },
      400: { description: "The password is too short", schema: schemas.problem },
      ...notAdmin,
      ...unknownAccount,
    },
    async handle({ session, ended }, { rest, body }) {
      return json(factsOf(await changeAccount(session, rest, body, ended.signal)));
    },
  }),
  operation({
    method: "DELETE",
    path: "/accounts/{name}",
    id: "removeAccount",
    summary: "Remove an account; its home is moved to removed/ in the data directory",
    login: true,
    query: v.object({ purge: schemas.flag }),
    answers: {
      200: { description: "The account was removed", schema: schemas.removedAccount },
      ...notAdmin,
      ...unknownAccount,
    },
    async handle({ session }, { rest, query: { purge } }) {
      const removed = await removeAccount(session, rest, { purge });
      const { kept, files, bytes } = removed;
      return json({ name: rest, kept: kept !== null, files, bytes });
    },
  }),
];

function factsOf({ name, role, disabled, used, reserved, limit, ...account }: Account) {
  const { entries, entryLimit } = account;
  const created = new Date(account.created).toISOString();
  return { name, role, disabled, used, reserved, limit, entries, entryLimit, created };
}
