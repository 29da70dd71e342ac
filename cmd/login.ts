/** `barge login`: trades a password for a token, and keeps that. */
import { formatRemote } from "../core/client/remote.ts";
import { issueToken, revokeToken } from "../core/client/token.ts";
import { command } from "./_term/command.ts";
import { changeLogins, fits, loginsPath } from "./_client/logins.ts";
import { common, optionalArgument } from "./_term/options.ts";
import { note, printJson } from "./_term/out.ts";
import { openSession, sessionOptions } from "./_client/session.ts";

export default command({
  options: {
    remote: optionalArgument("barge://NAME@HOST:PORT", "The server; instead of --server"),
    ...sessionOptions,
    ...common,
  },
  usage: "[barge://NAME@HOST:PORT]",
  about: `Logs in at a server and keeps a token instead of the password, in
    $XDG_CONFIG_HOME/barge/logins.json, where nobody else can read it. All other verbs then need no
    password, and no --server either, for the last login, and connect as this one did: with
    TLS or without.

    The first connection to a server with TLS pins its certificate, in
    $XDG_CONFIG_HOME/barge/known_hosts; compare the fingerprint that is then shown with what
    \`barge cert\` prints at the server, or name it with --pin.

    A token can be revoked: by \`barge logout\`, or at the server by \`barge user tokens\`.`,
  examples: [
    ["barge login barge://alice@files.example", "ask for the password and log in"],
    ["barge login barge://alice@files.example --password-file ~/.pw", "the same in a script"],
  ],
  async run({ remote: named, json, ...choice }, { signal }) {
    const asked = { ...choice, server: named ?? choice.server };
    await using session = await openSession(asked, signal, { password: true });
    const { client, remote } = session;
    const { account, role } = session.login;
    const file = loginsPath();
    const { id, token } = await issueToken(client, `barge login on ${Deno.hostname()}`);
    const tls = remote.trust !== undefined;
    const login = { host: remote.host, port: remote.port, account, id, token, tls };
    let replaced: string[] = [];
    try {
      await changeLogins((logins) => {
        replaced = logins.filter((old) => fits(old, login)).map((old) => old.id);
        return [...logins.filter((old) => !fits(old, login)), login];
      });
    } catch (error) {
      await revokeToken(client, id).catch(() => {/* what counts is why it could not be kept */});
      throw error;
    }
    for (const old of replaced) {
      await revokeToken(client, old).catch(() => {/* it was revoked before */});
    }
    const server = formatRemote({ ...remote, account });
    if (json) printJson({ server, account, role, file });
    else note(`logged in at ${server}; the login is kept in ${file}`);
  },
});
