/** `barge bench tcp` and `udp`: the same but for a word. */
import { BargeError } from "../../core/error.ts";
import { formatAddress, parseAddress } from "../../core/net/address.ts";
import { command } from "../_term/command.ts";
import { connectionsOption, loadOptions, runLoad } from "./load.ts";
import { common, flag, optionalArgument, valueOr } from "../_term/options.ts";
import { note } from "../_term/out.ts";
import { size as bytes } from "../_term/value.ts";
import { startSelf } from "./self.ts";

/** The verb that loads an echo server. */
export function echoLoad(kind: "tcp" | "udp") {
  const most = kind === "udp" ? 65_507 : 16 * 1024 * 1024;
  const connections = kind === "udp" ? 64 : 500;
  return command({
    options: {
      at: optionalArgument("HOST:PORT", "The server. Default: one that is started for it"),
      connections: connectionsOption(connections),
      size: valueOr(["--size"], bytes(), 64, "Bytes of a request. Default: 64"),
      verify: flag(["--verify"], "Look at every byte of the answers"),
      raw: flag(["--raw"], "Where a server is started for it: one that answers as it is asked"),
      ...loadOptions,
      ...common,
    },
    usage: "[HOST:PORT]",
    about:
      `Asks an echo server, over ${kind.toUpperCase()}, as often as it answers or at a rate, and
      tells how many answers there were and how long they took. Any echo server will do that sends as
      many bytes back as it is sent. Without HOST:PORT \`barge echo-${kind}\` is started for it, on
      this machine, in a process of its own.

      Each connection has one request under way. Without --rate a slow server is asked less often;
      with it, requests are due by the clock, and one that had to wait for the answer to another
      counts from when it was due, so that a server that stalls shows in the latencies. What is given
      up after --timeout counts with the time until then.

      The generator's own share of a core is told, too. Where it was the limit, that is said: the
      result then measures it and not the server.`,
    examples: [
      [`barge bench ${kind}`, "load an own server for ten seconds"],
      [`barge bench ${kind} box:7007 -c 100 -d 30 --rate 5000`, "5,000 requests a second"],
      [`barge bench ${kind} box:7007 -n 10000 --fail-if 'p99>5ms' --fail-if 'errors>0'`, "a check"],
      [`barge bench ${kind} --json > before.json`, "keep a result to --compare with"],
    ],
    async run({ at, size, verify, raw, ...choice }, { signal }) {
      if (size < 1 || size > most) {
        const why = `a request has 1 to ${most} bytes over ${kind.toUpperCase()}, not ${size}`;
        throw new BargeError("usage", why, { op: `bench ${kind}` });
      }
      const named = at === undefined ? undefined : parseAddress(at);
      const args = [`echo-${kind}`, "127.0.0.1:0", "--json", "-q", ...(raw ? ["--raw"] : [])];
      await using own = named ? undefined : await startSelf(args);
      const address = named ?? parseAddress(own!.ready.address);
      const target = formatAddress(address);
      if (own && !choice.json) note(`no server named: loading one of barge's own at ${target}`);
      const aim = { kind, address, size, verify, timeout: choice.timeout } as const;
      try {
        return await runLoad(aim, target, choice, signal);
      } catch (error) {
        throw error instanceof BargeError ? error.with({ op: "connect to", path: target }) : error;
      }
    },
  });
}
