/** `barge quota`: one's own space at a server. */
import { quota } from "../../core/client/quota.ts";
import { command } from "../_term/command.ts";
import { common } from "../_term/options.ts";
import { printQuota } from "../_client/quota.ts";
import { openSession, sessionOptions } from "../_client/session.ts";

export default command({
  options: { ...sessionOptions, ...common },
  usage: "",
  about: `Shows how much your account at a server uses, and how much is left.`,
  examples: [["barge quota --json | jq .left", "bytes that are left"]],
  async run({ json, ...choice }, { signal }) {
    await using session = await openSession(choice, signal);
    printQuota(await quota(session.client), json);
  },
});
