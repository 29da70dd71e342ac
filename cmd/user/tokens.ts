/** `barge user tokens`: an account's tokens, which saved logins use. */
import { BargeError } from "../../core/error.ts";
import type { LoginStore } from "../../core/storage/logins.ts";
import { accountsCommand } from "../_data/accounts.ts";
import { argument, value } from "../_term/command.ts";
import { printTokens } from "../_client/tokens.ts";
import { note, printJson } from "../_term/out.ts";
import { counted } from "../_term/progress.ts";
import { plain } from "../_term/value.ts";

export default accountsCommand({
  options: {
    name: argument("NAME", "The account"),
    revoke: value(plain("ID"), "Revoke this token, or `all`"),
  },
  about: `Lists the tokens of an account, with their limits and their last use, or revokes one. The
    server keeps only digests of tokens, so it can't show them. \`barge login\`, \`barge token add\`
    and the account's page make tokens.

    Connections that logged in with a revoked token are cut within three seconds, their transfers
    too. Tokens that were made in a login with a revoked token are revoked as well.`,
  examples: [
    ["barge user tokens alice", "show where alice is logged in"],
    ["barge user tokens alice --revoke all", "log her out everywhere"],
  ],
  async run({ name, revoke, json }, { accounts, logins }) {
    const { id: account } = await accounts.get(name);
    if (revoke !== undefined) {
      const revoked = revoke === "all"
        ? await logins.revokeTokens(account)
        : await revokeOne(logins, account, revoke);
      if (revoke !== "all" && revoked.length === 0) {
        throw new BargeError("not-found", `${name} has no such token`, {
          op: "revoke",
          path: revoke,
        });
      }
      if (json) revoked.forEach((id) => printJson({ id, revoked: true }));
      else note(`revoked ${counted(revoked.length, "token")} of ${name}`);
      return;
    }
    const tokens = await logins.tokens(account);
    const { tokenFacts } = await import("../../core/login/token.ts");
    printTokens(tokens.map(tokenFacts), json);
  },
});

/** Revokes a token, and with it those that its logins have issued. @returns the ids of all */
async function revokeOne(logins: LoginStore, account: number, id: string): Promise<string[]> {
  const ids = async () => (await logins.tokens(account)).map(({ id }) => id);
  const before = await ids();
  if (!await logins.revokeToken(account, id)) return [];
  const left = new Set(await ids());
  return before.filter((id) => !left.has(id));
}
