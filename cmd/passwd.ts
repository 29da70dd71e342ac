/** `barge passwd`: changes your password at a server. */
import { passwd } from "../core/client/password.ts";
import { flag, value } from "./_term/command.ts";
import { path } from "./_term/value.ts";
import {
  needPassword,
  printWithPassword,
  promptOnly,
  randomPassword,
  readPasswordFile,
} from "./_client/password.ts";
import { sessionCommand } from "./_client/session.ts";

export default sessionCommand({
  options: {
    newPasswordFile: value(path("FILE"), "Read the new password from a file, one line"),
    generate: flag("Make a random new password and print it on standard output"),
  },
  about: `Changes your password at a server. The old one comes from a --password option,
    BARGE_PASSWORD or a prompt; a saved login is not enough. The new one comes from
    --new-password-file, --generate, BARGE_NEW_PASSWORD or a prompt, which asks twice.

    All logins with the old password end, at every door, and all tokens of the account are revoked:
    log in again on each machine. SSH keys stay.`,
  examples: [["barge passwd", "enter the old and the new password"]],
  async run({ newPasswordFile, generate, json }, session, { signal }) {
    const password = generate
      ? randomPassword(session.client.hello.minPassword)
      : newPasswordFile !== undefined
      ? await readPasswordFile(newPasswordFile)
      : Deno.env.get("BARGE_NEW_PASSWORD") || await needPassword(promptOnly, {
        question: `New password of ${session.login.account}`,
        minLength: session.client.hello.minPassword ?? 0,
        signal,
        ways: "use --new-password-file, --generate or BARGE_NEW_PASSWORD",
      });
    const { account } = session.login;
    await passwd(session.client, { account, old: session.password!, password });
    const done = `the password of ${account} is changed; its saved logins have ended`;
    printWithPassword(json, { account }, [done], generate ? password : undefined);
  },
}, { password: true });
