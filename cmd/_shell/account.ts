/** The shell's commands about accounts: quotas, passwords, registration. */
import type { Client } from "../../core/client/client.ts";
import { passwd as change, register as makeAccount } from "../../core/client/password.ts";
import { grow as growTo, quota } from "../../core/client/quota.ts";
import { BargeError } from "../../core/error.ts";
import { printJson } from "../_term/out.ts";
import { checkRegistration } from "../_client/choose.ts";
import { needPassword, promptOnly } from "../_client/password.ts";
import { printQuota } from "../_client/quota.ts";
import { formatLimit, parseSize } from "../../core/size.ts";
import { connectAs } from "./link.ts";
import type { Call } from "./command.ts";

export async function left({ shell, signal }: Call): Promise<void> {
  printQuota(await quota(await shell.link.client(signal)), shell.json);
}

export async function grow({ shell, args, signal }: Call): Promise<void> {
  const limit = readSize("grow", args[0]);
  printQuota(await growTo(await shell.link.client(signal), limit), shell.json);
}

/** Changes the password. The shell stays logged in; all other logins end. */
export async function passwd(call: Call): Promise<void> {
  const { shell, signal } = call;
  const client = await shell.link.client(signal);
  const { account, remote, credentials, timeout } = shell.link;
  const isToken = "token" in credentials;
  const old = isToken
    ? await ask(call, `Current password of ${account}`, "BARGE_PASSWORD")
    : credentials.password;
  // A token may not change the password, so the old password logs in on a second connection.
  await using second = isToken
    ? (await connectAs(remote, { account, password: old }, signal, timeout)).client
    : undefined;
  const password = await newPassword(call, client, account);
  await change(second ?? client, { account, old, password });
  shell.link.credentials = { account, password };
  if (shell.json) printJson({ account });
  else shell.note(`the password of ${account} is changed; its saved logins have ended`);
}

/** Makes another account. The shell stays logged in as the old one. */
export async function register(call: Call): Promise<void> {
  const { shell, args, signal } = call;
  const [name, typed] = args;
  const size = typed === undefined ? undefined : readSize("register", typed);
  const client = await shell.link.client(signal);
  checkRegistration(client);
  const password = await newPassword(call, client, name);
  const { account, limit } = await makeAccount(client, name, password, size);
  if (shell.json) printJson({ account, limit });
  else shell.note(`made the account ${account}, quota ${formatLimit(limit)}`);
}

function newPassword(call: Call, { hello }: Client, account: string): Promise<string> {
  const question = `New password of ${account}`;
  return ask(call, question, "BARGE_NEW_PASSWORD", hello.minPassword ?? 0);
}

/**
 * Returns a password from a variable or a prompt, never from a line, which the history could keep.
 *
 * @param minLength the fewest characters of a new password
 */
async function ask(
  { shell, signal }: Call,
  question: string,
  variable: string,
  minLength?: number,
): Promise<string> {
  const password = Deno.env.get(variable);
  if (password) return password;
  if (!shell.interactive) {
    throw new BargeError("usage", "a password is needed", { hint: `use ${variable}` });
  }
  return await shell.aside(() => needPassword(promptOnly, { question, minLength, signal }));
}

function readSize(op: string, text: string): number {
  const size = parseSize(text);
  if (size !== undefined) return size;
  throw new BargeError("usage", `${JSON.stringify(text)} is not a size like 500k, 1.5MB or 20GiB`, {
    op,
  });
}
