/** `barge bench http`: a load of GET requests. */
import { BargeError } from "../../core/error.ts";
import { command, optionalArgument } from "../_term/command.ts";
import { connectionsOption, loadOptions, runLoad } from "../_bench/load.ts";
import { note } from "../_term/out.ts";
import { type OwnServer, startSelf } from "../_bench/self.ts";

export default command({
  options: {
    at: optionalArgument(
      "URL",
      "The page to GET. Default: a page of a server that the command starts",
    ),
    connections: connectionsOption(50),
    ...loadOptions,
  },
  about: `Requests a page repeatedly, with its body, over persistent connections, and prints the
    number of answers and their latencies. An answer with a status of 400 or more is an error.
    Without a URL the command starts \`barge serve\` on this machine, in a process of its own, with a
    temporary data directory, and requests its login page.

    --rate and the generator's own share work as \`barge help bench tcp\` describes.`,
  examples: [
    ["barge bench http", "load a server of its own for ten seconds"],
    ["barge bench http http://127.0.0.1:8080/ -c 100 -d 5", "as fast as it answers"],
    ["barge bench http https://files.example/ --rate 50 --fail-if 'p99>200ms'", "a check"],
  ],
  async run({ at, ...choice }, { signal }) {
    if (at !== undefined && !isWeb(at)) {
      throw new BargeError("usage", "it is no http:// or https:// address", {
        op: "bench http",
        path: at,
      });
    }
    await using own = at === undefined ? await ownServer() : undefined;
    const url = at ?? own!.url;
    if (own && !choice.json) note(`no server named: loading barge's own at ${url}`);
    try {
      return await runLoad({ kind: "http", url }, url, choice, signal);
    } catch (error) {
      throw error instanceof BargeError ? error.with({ op: "get", path: url }) : error;
    }
  },
});

function isWeb(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** Starts a file server on a temporary directory, until it is disposed. */
async function ownServer(): Promise<{ readonly url: string } & AsyncDisposable> {
  const data = await Deno.makeTempDir({ prefix: "barge-bench-" });
  const remove = () => Deno.remove(data, { recursive: true });
  let server: OwnServer;
  try {
    const doors = ["--native", "off", "--http", "127.0.0.1:0"];
    const quiet = ["--json", "--log-level", "error"];
    server = await startSelf(["serve", "--data", data, "--unconfined", ...doors, ...quiet]);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    url: `http://${server.ready.http}/login`,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await remove();
    },
  };
}
