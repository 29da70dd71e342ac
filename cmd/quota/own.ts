/** `barge quota`: the quota of your account at a server. */
import { quota } from "../../core/client/quota.ts";
import { command } from "../_term/command.ts";
import { common } from "../_term/options.ts";
import { printQuota } from "../_client/quota.ts";
import { openSession, sessionOptions } from "../_client/session.ts";

export default command({
  options: { ...sessionOptions, ...common },
  usage: "",
  about: `Shows how many bytes your account at a server uses, and how many are available.`,
  examples: [["barge quota --json | jq .left", "available bytes"]],
  async run({ json, ...choice }, { signal }) {
    await using session = await openSession(choice, signal);
    printQuota(await quota(session.client), json);
  },
});
