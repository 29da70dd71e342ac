/** `barge bench http`: a load of GET requests. */
import { BargeError } from "../../core/error.ts";
import { command } from "../_term/command.ts";
import { connectionsOption, loadOptions, runLoad } from "../_term/load.ts";
import { argument, common } from "../_term/options.ts";

export default command({
  options: {
    url: argument("URL", "What to GET"),
    connections: connectionsOption(50),
    ...loadOptions,
    ...common,
  },
  usage: "URL",
  about:
    `Gets a page again and again, body and all, over connections that are kept, and tells how many
    answers there were and how long they took. An answer with a status of 400 or more is an error.

    What \`barge help bench tcp\` says of --rate, and of the generator's own share, holds here too.`,
  examples: [
    ["barge bench http http://127.0.0.1:8080/ -c 100 -d 5", "as often as it answers"],
    ["barge bench http https://files.example/ --rate 50 --fail-if 'p99>200ms'", "a check"],
  ],
  async run({ url, ...choice }, { signal }) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new BargeError("usage", "it is no http:// or https:// address", {
        ...{ op: "bench http", path: url },
      });
    }
    try {
      return await runLoad({ kind: "http", url }, url, choice, signal);
    } catch (error) {
      throw error instanceof BargeError ? error.with({ op: "get", path: url }) : error;
    }
  },
});
