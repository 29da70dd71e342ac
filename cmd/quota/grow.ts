/** `barge grow`: asks for a larger quota. */
import { grow } from "../../core/client/quota.ts";
import { argument } from "../_term/command.ts";
import { size } from "../_term/value.ts";
import { printQuota } from "../_client/quota.ts";
import { sessionCommand } from "../_client/session.ts";

export default sessionCommand({
  options: {
    limit: argument(size(), "The new quota in all, for instance 20GiB"),
  },
  about:
    `Asks the server for a new quota for your account. The server grants it up to its --max-quota.`,
  examples: [["barge grow 20GiB", "ask for 20 GiB in all"]],
  async run({ limit, json }, { client }) {
    printQuota(await grow(client, limit), json);
  },
});
