/** `barge quota`: the quota of your account at a server. */
import { quota } from "../../core/client/quota.ts";
import { printQuota } from "../_client/quota.ts";
import { sessionCommand } from "../_client/session.ts";

export default sessionCommand({
  options: {},
  about: `Shows how many bytes your account at a server uses, and how many are available.`,
  examples: [["barge quota --json | jq .left", "available bytes"]],
  async run({ json }, { client }) {
    printQuota(await quota(client), json);
  },
});
