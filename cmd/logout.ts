/** `barge logout`: revokes a saved login and forgets it. */
import { formatRemote, parseRemote } from "../core/client/remote.ts";
import { revokeToken } from "../core/client/token.ts";
import { BargeError, typed } from "../core/error.ts";
import { command, flag, optionalArgument } from "./_term/command.ts";
import { changeLogins, defaultLogin, fits, type Login, readLogins } from "./_client/logins.ts";
import { note, printJson } from "./_term/out.ts";
import { argumentOrOption, noServer } from "./_client/choose.ts";
import { openSession, serverOptions } from "./_client/session.ts";

export default command({
  options: {
    remote: optionalArgument("barge://NAME@HOST:PORT", "The login's server, in place of --server"),
    ...serverOptions,
    force: flag("Forget the login even if the server can't be reached", "-f"),
  },
  about: `Revokes the token of a saved login at the server, and forgets the login. Default: the last
    login. If the server can't be reached, the login stays, unless --force is given.

    If one other saved login is left, verbs use it from then on. Of several, they use none until \`barge login\`
    or --server chooses one.`,
  examples: [["barge logout", "end the last login"]],
  async run({ remote: named, server, force, json, ...choice }, { signal, sources }) {
    const text = argumentOrOption(named, server, sources);
    const wanted = text === undefined ? undefined : parseRemote(text);
    const login = wanted ? readLogins().findLast((login) => fits(login, wanted)) : defaultLogin();
    if (!login) {
      if (!wanted && readLogins().length > 0) throw noServer();
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
    let rest: readonly Login[] = [];
    await changeLogins(({ logins, unchosen }) => {
      const left = logins.filter(({ id }) => id !== login.id);
      const isOpen = unchosen || logins.at(-1)?.id === login.id;
      if (isOpen) rest = left;
      return { logins: left, ...(isOpen && left.length > 1 && { unchosen: true }) };
    });
    if (json) printJson({ server: at, account: login.account, revoked });
    else note(`logged out from ${at}`);
    const names = rest.map((login) => formatRemote(login)).join(", ");
    if (rest.length === 1) note(`now in use: ${names}`);
    if (rest.length > 1) note(`no login is in use: name one with --server, or log in (${names})`);
  },
});
