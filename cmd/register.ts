/** `barge register`: makes an account at a server that allows it. */
import { register } from "../core/client/password.ts";
import { formatRemote, parseRemote } from "../core/client/remote.ts";
import { BargeError } from "../core/error.ts";
import { checkAccountName } from "../core/storage/account_rules.ts";
import { argument, command, value } from "./_term/command.ts";
import { size } from "./_term/value.ts";
import { argumentOrOption, checkRegistration } from "./_client/choose.ts";
import { newPassword, newPasswordOptions, printWithPassword } from "./_client/password.ts";
import { tlsOptionOf } from "./_client/security.ts";
import { connectOnly, serverOptions } from "./_client/session.ts";
import type { Sources } from "./_term/source.ts";
import { formatLimit } from "../core/size.ts";

export default command({
  options: {
    name: argument(
      "NAME|barge://NAME@HOST:PORT",
      "The account's name: letters, digits, . _ -; or the server's address with it, in place of --server",
    ),
    quota: value(size(), "The quota to ask for. Default: set by the server"),
    ...newPasswordOptions,
    ...serverOptions,
  },
  about: `Makes an account at a server that allows it (\`barge serve --allow-register\`).`,
  examples: [
    ["barge register alice --server barge://files.example", "enter a password"],
    ["barge register barge://alice@files.example", "the same"],
  ],
  async run({ name: given, quota, json, ...choice }, { signal, sources }) {
    const { name, server } = registrationOf(given, choice.server, sources);
    checkAccountName(name);
    const { client, remote } = await connectOnly({ ...choice, server }, signal);
    await using _ = client;
    checkRegistration(client);
    const minLength = client.hello.minPassword ?? 0;
    const question = `Password for ${name}`;
    const { password, generated } = await newPassword(choice, question, minLength, signal);
    const { account, limit } = await register(client, name, password, quota);
    const at = formatRemote({ ...remote, account });
    const made = `made the account ${account}, quota ${formatLimit(limit)}`;
    const next = `try: barge login${tlsOptionOf(remote)} ${at}`;
    printWithPassword(json, { account, limit }, [made, next], generated);
  },
});

/**
 * Returns the account to make and the server, from the argument.
 *
 * @param server the server of an option or variable
 * @throws {BargeError} `usage` for an address without an account, or that is none, or is not that of --server
 */
function registrationOf(
  given: string,
  server: string | undefined,
  sources: Sources,
): { readonly name: string; readonly server: string | undefined } {
  const isAddress = given.startsWith("barge://") || given.includes("@");
  if (!isAddress) return { name: given, server };
  const { account } = parseRemote(given);
  if (account !== undefined) {
    return { name: account, server: argumentOrOption(given, server, sources) };
  }
  throw new BargeError("usage", "the address names no account", {
    op: "register at",
    path: given,
    hint: "for instance barge://anna@files.example:7171",
  });
}
