/** `barge register`: makes an account at a server that allows it. */
import { register } from "../core/client/password.ts";
import { formatRemote } from "../core/client/remote.ts";
import { argument, command, value } from "./_term/command.ts";
import { size } from "./_term/value.ts";
import { checkRegistration } from "./_client/choose.ts";
import { newPassword, newPasswordOptions, printWithPassword } from "./_client/password.ts";
import { connectOnly, serverOptions } from "./_client/session.ts";
import { formatLimit } from "../core/size.ts";

export default command({
  options: {
    name: argument("NAME", "The account's name: letters, digits, . _ -"),
    quota: value(size(), "The quota to ask for. Default: set by the server"),
    ...newPasswordOptions,
    ...serverOptions,
  },
  about: `Makes an account at a server that allows it (\`barge serve --allow-register\`).`,
  examples: [["barge register alice --server barge://files.example", "enter a password"]],
  async run({ name, quota, json, ...choice }, { signal }) {
    const { client, remote } = await connectOnly(choice, signal);
    await using _ = client;
    checkRegistration(client);
    const minLength = client.hello.minPassword ?? 0;
    const question = `Password for ${name}`;
    const { password, generated } = await newPassword(choice, question, minLength, signal);
    const { account, limit } = await register(client, name, password, quota);
    const at = formatRemote({ ...remote, account });
    const made = `made the account ${account}, quota ${formatLimit(limit)}`;
    printWithPassword(json, { account, limit }, [made, `try: barge login ${at}`], generated);
  },
});
