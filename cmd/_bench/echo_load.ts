/** `barge bench tcp` and `barge bench udp`. */
import { BargeError } from "../../core/error.ts";
import { formatAddress, parseAddress } from "../../core/net/address.ts";
import { command, flag, optionalArgument, valueOr } from "../_term/command.ts";
import { connectionsOption, loadOptions, runLoad } from "./load.ts";
import { note } from "../_term/out.ts";
import { size as bytes } from "../_term/value.ts";
import { startSelf } from "./self.ts";

export function echoLoad(kind: "tcp" | "udp") {
  const maxRequestBytes = kind === "udp" ? 65_507 : 16 * 1024 * 1024;
  const connections = kind === "udp" ? 64 : 500;
  return command({
    options: {
      at: optionalArgument("HOST:PORT", "The server. Default: the command starts one"),
      connections: connectionsOption(connections),
      size: valueOr(bytes(), 64, "Bytes of a request. Default: 64"),
      verify: flag("Compare every byte of the answers"),
      raw: flag("Start a server that answers with the bytes as they are"),
      ...loadOptions,
    },
    about:
      `Sends requests to an echo server over ${kind.toUpperCase()}, as fast as it answers or at a
      rate, and prints the number of answers and their latencies. It works with any echo server that
      returns as many bytes as it receives. Without HOST:PORT the command starts
      \`barge echo-${kind}\` on this machine, in a process of its own.

      Each connection has one request under way. Without --rate a slow server receives fewer requests.
      With it, requests are due by the clock, and a request that had to wait for the answer to another
      one counts from when it was due, so that a stall of the server shows in the latencies. A request
      that is given up after --timeout counts with the time until then.

      The result includes the generator's own share of a core, and warns when the generator was the
      limit: it then measures the generator and not the server.`,
    examples: [
      [`barge bench ${kind}`, "load a server of its own for ten seconds"],
      [`barge bench ${kind} box:7007 -c 100 -d 30 --rate 5000`, "5,000 requests a second"],
      [`barge bench ${kind} box:7007 -n 10000 --fail-if 'p99>5ms' --fail-if 'errors>0'`, "a check"],
      [`barge bench ${kind} --json > before.json`, "save a result for --compare"],
    ],
    async run({ at, size, verify, raw, ...choice }, { signal }) {
      if (size < 1 || size > maxRequestBytes) {
        const why =
          `a request has 1 to ${maxRequestBytes} bytes over ${kind.toUpperCase()}, not ${size}`;
        throw new BargeError("usage", why, { op: `bench ${kind}` });
      }
      const named = at === undefined ? undefined : parseAddress(at);
      const args = [`echo-${kind}`, "127.0.0.1:0", "--json", "-q", ...(raw ? ["--raw"] : [])];
      await using own = named ? undefined : await startSelf(args);
      const address = named ?? parseAddress(own!.ready.address);
      const target = formatAddress(address);
      if (own && !choice.json) note(`no server named: loading barge's own at ${target}`);
      const load = { kind, address, size, verify, timeout: choice.timeout } as const;
      try {
        return await runLoad(load, target, choice, signal);
      } catch (error) {
        throw error instanceof BargeError ? error.with({ op: "connect to", path: target }) : error;
      }
    },
  });
}
