/** `barge login`: exchanges a password for a token, and saves the token. */
import { formatRemote } from "../core/client/remote.ts";
import { issueToken, revokeToken } from "../core/client/token.ts";
import { command, optionalArgument } from "./_term/command.ts";
import { argumentOrOption } from "./_client/choose.ts";
import { endLogin, endLoginForToken, loginLabel } from "./_client/end_logins.ts";
import { changeLogins, fits, type Login, loginsPath } from "./_client/logins.ts";
import { note, printJson } from "./_term/out.ts";
import { isToken, openSession, sessionOptions } from "./_client/session.ts";

export default command({
  options: {
    remote: optionalArgument("barge://NAME@HOST:PORT", "The server, in place of --server"),
    ...sessionOptions,
  },
  about: `Logs in at a server and saves a token, not the password, in
    $XDG_CONFIG_HOME/barge/logins.json, which only you can read. Other verbs then need no password,
    and use the server of the last login by default. They connect with TLS if this login did.

    The first connection to a server with TLS pins its certificate in
    $XDG_CONFIG_HOME/barge/known_hosts; compare the fingerprint shown then with the output of
    \`barge cert\` at the server, or give it with --pin.

    An account with a second factor needs a code, too: by --code-file, BARGE_CODE or a prompt. The
    saved token needs none.

    A token given in place of the password is saved itself: \`barge token add\` makes one. A login
    revokes the token of the login that it replaces, but never a token that was given.

    A token is revoked by \`barge logout\`, or at the server by \`barge user tokens\`.`,
  examples: [
    ["barge login barge://alice@files.example", "enter the password and log in"],
    ["barge login barge://alice@files.example --password-file ~/.pw", "the same in a script"],
  ],
  async run({ remote: named, json, ...choice }, { signal, sources }) {
    const choices = { ...choice, server: argumentOrOption(named, choice.server, sources) };
    await using session = await openSession(choices, signal, { password: true });
    const { client, remote } = session;
    const { account, role } = session.login;
    const file = loginsPath();
    const given = session.password;
    const { id, token } = isToken(given)
      ? { id: given.split("_")[1], token: given }
      : await issueToken(client, loginLabel());
    const tls = remote.trust !== undefined;
    const login = { host: remote.host, port: remote.port, account, id, token, tls };
    let replaced: Login[] = [];
    try {
      await changeLogins(({ logins }) => {
        replaced = logins.filter((old) => fits(old, login));
        return { logins: [...logins.filter((old) => !fits(old, login)), login] };
      });
    } catch (error) {
      if (token !== given) {
        await revokeToken(client, id).catch(() => {/* the failure to save it is reported */});
      }
      throw error;
    }
    for (const old of replaced) {
      if (old.id === id) continue;
      const ended = token === given
        ? endLoginForToken(old, id, choices, signal)
        : endLogin(old, client);
      await ended.catch(() => {/* the token may be revoked already */});
    }
    const server = formatRemote({ ...remote, account });
    if (json) printJson({ server, account, role, file });
    else note(`logged in at ${server}; the login is saved in ${file}`);
  },
});
