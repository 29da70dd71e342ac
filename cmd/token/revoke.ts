/** `barge token revoke`: ends tokens of your account. */
import { revokeToken } from "../../core/client/token.ts";
import { args } from "../_term/command.ts";
import { eachPath } from "../_client/each_path.ts";
import { note, printJson } from "../_term/out.ts";
import { sessionCommand } from "../_client/session.ts";

export default sessionCommand({
  options: { ids: args("ID", "The tokens, as `barge token list` shows them") },
  about: `Revokes tokens of your account. Connections that logged in with a revoked token are cut
    within three seconds, their transfers too. Tokens that were made in a login with a revoked token
    are revoked as well.`,
  examples: [["barge token revoke 0123456789ab", "end a token"]],
  async run({ ids, json }, { client }) {
    return await eachPath("token revoke", ids, async (id) => {
      await revokeToken(client, id);
      if (json) printJson({ id, revoked: true });
      else note(`revoked the token ${id}`);
    });
  },
});
