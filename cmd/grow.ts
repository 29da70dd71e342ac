/** `barge grow`: asks for more capacity. */
import { grow } from "../core/client/grow.ts";
import { command } from "./_term/command.ts";
import { argumentOf, common } from "./_term/options.ts";
import { size } from "./_term/value.ts";
import { printQuota } from "./_client/quota.ts";
import { openSession, sessionOptions } from "./_client/session.ts";

export default command({
  options: {
    limit: argumentOf(size(), "The capacity that you want in all, for instance 20GiB"),
    ...sessionOptions,
    ...common,
  },
  usage: "SIZE",
  about: `Asks the server to give your account this capacity. It does so up to its --max-quota.`,
  examples: [["barge grow 20GiB", "have 20 GiB from now on"]],
  async run({ limit, json, ...choice }, { signal }) {
    await using session = await openSession(choice, signal);
    printQuota(await grow(session.client, limit), json);
  },
});
