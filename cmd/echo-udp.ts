/** `barge echo-udp`: an echo server over UDP, and its client. */
import { BargeError } from "../core/error.ts";
import { formatAddress, parseAddress } from "../core/net/address.ts";
import { command, value, valueOr } from "./_term/command.ts";
import { echoOptions, serveEcho } from "./_bench/echo.ts";
import { exitCodes } from "./_term/exit.ts";
import { note, stdoutBytes } from "./_term/out.ts";
import { address, count } from "./_term/value.ts";

export default command({
  options: {
    ...echoOptions,
    connect: value(address(), "Be the client: send each line of stdin as a datagram"),
    timeout: valueOr(
      count("MS", 1, 3_600_000),
      1000,
      "Client: how many milliseconds to wait for each answer. Default: 1000",
    ),
  },
  about:
    `Returns each datagram in upper case (a to z of ASCII, as echo-tcp does), or unchanged with --raw
    (RFC 862). An answer is exactly as long as its request, so the server can't amplify traffic.
    Datagrams that seem to come from another echo or time service are dropped and counted. SIGUSR1
    prints the counters so far.

    With --connect the command is the client: it sends each line as a datagram and prints the answer.
    A line without an answer in time counts as lost, and the exit code is then 5.`,
  examples: [
    ["barge echo-udp", "answer at 127.0.0.1:7007"],
    [
      "seq 100 | barge echo-udp --connect 127.0.0.1:7007 --timeout 200 -v",
      "send a hundred datagrams",
    ],
  ],
  async run({ at, connect, raw, timeout, json, quiet, verbose }, { signal }) {
    if (!connect) {
      const address = parseAddress(at ?? "127.0.0.1:7007");
      // UDP has no connections, so the options for them are off.
      const noConnections = { tls: undefined, workers: 1, maxConnections: 0, idle: 0 };
      const display = { json, quiet, verbose, signal };
      return await serveEcho({ transport: "udp", address, raw, ...noConnections }, display);
    }
    if (at !== undefined) throw new BargeError("usage", "--connect takes the place of HOST:PORT");
    const { talkUdp } = await import("../core/echo/client.ts");
    const { sent, answered, lost } = await talkUdp(connect, Deno.stdin.readable, stdoutBytes, {
      timeout,
      signal,
      onTime: verbose ? (n, ms) => note(`answer ${n} in ${ms.toFixed(3)} ms`) : undefined,
    });
    if (lost > 0 || verbose) note(`${sent} sent, ${answered} answered, ${lost} lost`);
    if (lost === 0) return 0;
    if (answered === 0) note(`(is \`barge echo-udp\` running at ${formatAddress(connect)}?)`);
    return exitCodes.unavailable;
  },
});
