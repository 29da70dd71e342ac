/** Revokes the tokens of saved logins that a new login replaces. */
import type { Client } from "../../core/client/client.ts";
import { formatRemote } from "../../core/client/remote.ts";
import { listTokens, revokeToken } from "../../core/client/token.ts";
import { note } from "../_term/out.ts";
import type { Login } from "./logins.ts";
import { openSession, type SessionChoice } from "./session.ts";

const labelStart = "barge login on ";

/** Returns the label of a token that `barge login` makes. */
export function loginLabel(): string {
  return labelStart + Deno.hostname();
}

/**
 * Revokes the token of a replaced login, if a login made the token: others may use a token that was given.
 *
 * @param client logged in with the password
 */
export async function endLogin(replaced: Login, client: Client): Promise<void> {
  const tokens = await listTokens(client);
  const token = tokens.find(({ id }) => id === replaced.id);
  if (token?.label.startsWith(labelStart)) await revokeToken(client, replaced.id);
}

/**
 * Revokes the token of a login that a given token replaces, if a login made the former. The given token may be unable
 * to revoke others, so the replaced login revokes its own.
 *
 * A token that was made in a login ends with that login. So the replaced login stays, with a note, unless the given
 * token is the older of the two.
 *
 * @param given the id of the given token
 */
export async function endLoginForToken(
  replaced: Login,
  given: string,
  choice: SessionChoice,
  signal: AbortSignal,
): Promise<void> {
  const sources = { passwordStdin: false, passwordFile: undefined, token: replaced.token };
  await using session = await openSession(
    { ...choice, server: formatRemote(replaced), ...sources },
    signal,
  );
  const tokens = await listTokens(session.client);
  const find = (id: string) => tokens.find((token) => token.id === id);
  const [former, next] = [find(replaced.id), find(given)];
  if (!former?.label.startsWith(labelStart)) return;
  if (next && Date.parse(next.created) < Date.parse(former.created)) {
    await revokeToken(session.client, former.id);
  } else {
    const { id } = former;
    const options = `--server ${formatRemote(replaced)} --password-file FILE`;
    note(
      `the earlier login (token ${id}) stays valid; with the password, \`barge token revoke ${id} ${options}\` ` +
        "ends it, and the given token, too, if that was made in it",
    );
  }
}
