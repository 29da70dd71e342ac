/** A server with one account, and a person who is logged in there. */
import { parseAddress } from "../../core/net/address.ts";
import { type Server, startServer } from "../_server.ts";
import { Home } from "./_barge.ts";

/** The password of the accounts that these functions make. */
export const secret = { BARGE_PASSWORD: "anna-secret" };

/** A server with one account, and somebody who is logged in there. */
export async function loggedIn(quota = "none") {
  const server = await startServer();
  const person = await logInto(server, "anna", quota);
  return {
    ...person,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await person[Symbol.asyncDispose]();
    },
  };
}

/** Makes an account, and a home of somebody who is logged in with it. Cases with own accounts share a server. */
export async function logInto(server: Server, account: string, quota = "none") {
  const home = new Home();
  await server.addUser(account, { quota, password: secret.BARGE_PASSWORD });
  await saveLogin(home, server, account);
  return {
    server,
    home,
    account,
    remote: `barge://${account}@${server.address}`,
    async [Symbol.asyncDispose]() {
      await home[Symbol.asyncDispose]();
    },
  };
}

/** Saves a login of the account as `barge login` does, which derives a key from the password. */
export async function saveLogin(
  home: Home,
  server: Server,
  account: string,
  { tls } = { tls: false },
): Promise<void> {
  const { host, port } = parseAddress(server.address);
  const token = await server.issueToken(account);
  const [, id] = token.split("_");
  const folder = `${home.path}/.config/barge`;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const logins = [{ host, port, account, id, token, tls }];
  await Deno.writeTextFile(`${folder}/logins.json`, JSON.stringify({ logins }), { mode: 0o600 });
}
