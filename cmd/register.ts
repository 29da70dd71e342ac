/** `barge register`: makes an account at a server that allows it. */
import { register } from "../core/client/password.ts";
import { formatRemote } from "../core/client/remote.ts";
import { argument, command, value } from "./_term/command.ts";
import { note, print, printJson } from "./_term/out.ts";
import { size } from "./_term/value.ts";
import { checkRegistration } from "./_client/choose.ts";
import { newPassword, newPasswordOptions } from "./_client/password.ts";
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
  examples: [["barge register alice --server barge://files.example", "ask for a password"]],
  async run({ name, quota, json, ...choice }, { signal }) {
    const { client, remote } = await connectOnly(choice, signal);
    await using _ = client;
    checkRegistration(client);
    const minLength = client.hello.minPassword ?? 0;
    const { password, generated } = await newPassword(
      choice,
      `Password for ${name}`,
      minLength,
      signal,
    );
    const { account, limit } = await register(client, name, password, quota);
    const at = formatRemote({ ...remote, account });
    if (json) {
      printJson({ account, limit, ...(generated && { password }) });
      return;
    }
    note(`made the account ${account}, quota ${formatLimit(limit)}`);
    note(`try: barge login ${at}`);
    if (generated) print(password);
  },
});
