/** `barge grow`: asks for a larger quota. */
import { grow } from "../core/client/quota.ts";
import { command } from "./_term/command.ts";
import { argumentOf, common } from "./_term/options.ts";
import { size } from "./_term/value.ts";
import { printQuota } from "./_client/quota.ts";
import { openSession, sessionOptions } from "./_client/session.ts";

export default command({
  options: {
    limit: argumentOf(size(), "The new quota in all, for instance 20GiB"),
    ...sessionOptions,
    ...common,
  },
  usage: "SIZE",
  about:
    `Asks the server for a new quota for your account. The server grants it up to its --max-quota.`,
  examples: [["barge grow 20GiB", "ask for 20 GiB in all"]],
  async run({ limit, json, ...choice }, { signal }) {
    await using session = await openSession(choice, signal);
    printQuota(await grow(session.client, limit), json);
  },
});
