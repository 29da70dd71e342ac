/** `barge token list`: the tokens of your account. */
import { listTokens } from "../../core/client/token.ts";
import { sessionCommand } from "../_client/session.ts";
import { printTokens } from "../_client/tokens.ts";

export default sessionCommand({
  options: {},
  about: `Lists the tokens of your account: their limits, and when and from where they were last
    used. The server keeps only digests of tokens, so it can't show them. An expired token is listed
    for 30 days.`,
  examples: [["barge token list", "show the tokens"]],
  async run({ json }, { client }) {
    printTokens(await listTokens(client), json);
  },
});
