/** `barge logout`: revokes a saved login and forgets it. */
import { formatRemote, parseRemote } from "../core/client/remote.ts";
import { revokeToken } from "../core/client/token.ts";
import { BargeError, typed } from "../core/error.ts";
import { command, flag, optionalArgument } from "./_term/command.ts";
import { changeLogins, fits, type Login, readLogins } from "./_client/logins.ts";
import { note, printJson } from "./_term/out.ts";
import { argumentOrOption } from "./_client/choose.ts";
import { openSession, serverOptions } from "./_client/session.ts";

export default command({
  options: {
    remote: optionalArgument("barge://NAME@HOST:PORT", "The login's server, in place of --server"),
    ...serverOptions,
    force: flag("Forget the login even if the server can't be reached", "-f"),
  },
  about: `Revokes the token of a saved login at the server, and forgets the login. Default: the last
    login. If the server can't be reached, the login stays, unless --force is given.

    If there are other saved logins, verbs use the last of them from then on.`,
  examples: [["barge logout", "end the last login"]],
  async run({ remote: named, server, force, json, ...choice }, { signal, sources }) {
    const text = argumentOrOption(named, server, sources);
    const wanted = text === undefined ? undefined : parseRemote(text);
    const login = readLogins().findLast((login) => !wanted || fits(login, wanted));
    if (!login) {
      throw new BargeError("not-found", "there is no saved login", { op: "logout", path: text });
    }
    const at = formatRemote(login);
    let revoked = false;
    try {
      const sources = { passwordStdin: false, passwordFile: undefined, token: login.token };
      await using session = await openSession({ ...choice, server: at, ...sources }, signal);
      await revokeToken(session.client, login.id);
      revoked = true;
    } catch (cause) {
      const error = typed(cause, { op: "logout", path: at });
      // A token that the server does not accept is revoked already.
      if (error.kind !== "unauthenticated" && !force) {
        throw error.with({ hint: "--force forgets the login, and leaves its token valid" });
      }
    }
    let next: Login | undefined;
    await changeLogins((logins) => {
      const left = logins.filter(({ id }) => id !== login.id);
      if (logins.at(-1)?.id === login.id) next = left.at(-1);
      return left;
    });
    if (json) printJson({ server: at, account: login.account, revoked });
    else note(`logged out from ${at}`);
    if (next) note(`now in use: ${formatRemote(next)}`);
  },
});
