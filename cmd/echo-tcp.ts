/** `barge echo-tcp`: an echo server over TCP, and its client. */
import { BargeError } from "../core/error.ts";
import { type Address, parseAddress } from "../core/net/address.ts";
import type { Certificate } from "../core/net/certificate.ts";
import { command, flag, value, valueOr } from "./_term/command.ts";
import { echoOptions, serveEcho } from "./_bench/echo.ts";
import { note, stdoutBytes } from "./_term/out.ts";
import { address, count, path } from "./_term/value.ts";
import { securityOptions } from "./_client/security.ts";

export default command({
  options: {
    ...echoOptions,
    connect: value(address(), "Be the client: send stdin there, write answers to stdout"),
    workers: valueOr(count("N", 1, 256), 1, "How many isolates serve. Default: 1"),
    maxConnections: valueOr(
      count("N", 0),
      0,
      "The most open connections, over all workers; further ones are closed. Default: as many " +
        "as `ulimit -n` allows",
    ),
    idle: valueOr(
      count("SECONDS", 0, 86_400),
      300,
      "Close a connection that is idle for this time. 0: never. Default: 300",
    ),
    timeout: valueOr(
      count("SECONDS", 1, 86_400),
      10,
      "Client: how long connecting, and the wait for the last answer, may take. Default: 10",
    ),
    tls: flag("Use TLS"),
    tlsCert: value(path("FILE"), "A certificate in PEM. Default: one of barge's own"),
    tlsKey: value(path("FILE"), "The key to --tls-cert, in PEM"),
    pin: securityOptions.pin,
  },
  about:
    `Returns received bytes in upper case, or unchanged with --raw, which is the echo service of RFC
    862. Upper case is that of ASCII, as in Python's bytes.upper(): a to z change and every other byte
    stays, so that an answer is as long as its request and UTF-8 stays UTF-8.

    Each connection that ends is a line on standard error (with --json an object on standard output).
    SIGUSR1 prints the counters so far, of each open connection and in all.

    The server does not read from a client that does not read its answers. With --connect the command
    is the client: it sends standard input to a server and writes the answers to standard output.`,
  examples: [
    ["barge echo-tcp", "answer at 127.0.0.1:7007"],
    ["barge echo-tcp 0.0.0.0:7 --raw --workers 2", "the service of RFC 862, on two cores"],
    [
      "echo hello | barge echo-tcp --connect 127.0.0.1:7007 -v",
      "send a line, and print the latency",
    ],
  ],
  async run(options, { signal }) {
    const { at, connect, raw, workers, maxConnections, idle, tls, tlsCert, tlsKey, pin } = options;
    const encrypted = tls || tlsCert !== undefined || tlsKey !== undefined || pin !== undefined;
    if (connect) {
      if (at !== undefined) throw new BargeError("usage", "--connect takes the place of HOST:PORT");
      return await client(connect, encrypted, options, signal);
    }
    const address = parseAddress(at ?? "127.0.0.1:7007");
    const certificate = encrypted ? await certificateFor(address.host, options) : undefined;
    const pair = certificate && { cert: certificate.cert, key: certificate.key };
    const limits = { maxConnections, idle: idle * 1000 };
    const display = { ...options, signal, fingerprint: certificate?.fingerprint };
    await serveEcho({ transport: "tcp", address, raw, workers, tls: pair, ...limits }, display);
  },
});

/**
 * Loads the named certificate. Without a name, it loads a certificate of barge's own, beside the saved
 * logins, which is made only once, so that clients can pin it.
 */
async function certificateFor(
  host: string,
  { tlsCert: cert, tlsKey: key }: { tlsCert?: string; tlsKey?: string },
): Promise<Certificate> {
  if (cert !== undefined && key !== undefined) {
    const { loadCertificate } = await import("../core/net/certificate.ts");
    return await loadCertificate({ cert, key });
  }
  if (cert !== undefined || key !== undefined) {
    throw new BargeError("usage", "--tls-cert and --tls-key go together");
  }
  const { configPath } = await import("./_config/path.ts");
  const folder = configPath("echo");
  if (folder === undefined) {
    throw new BargeError("usage", "there is no place to keep a certificate: HOME is not set", {
      hint: "use --tls-cert and --tls-key",
    });
  }
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const { ownCertificate } = await import("../core/net/own_certificate.ts");
  return await ownCertificate(folder, [host]);
}

interface ClientChoice {
  readonly timeout: number;
  readonly verbose: boolean;
  readonly pin: Parameters<typeof import("./_client/security.ts").secured>[1]["pin"];
}

async function client(
  address: Address,
  encrypted: boolean,
  { timeout, verbose, pin }: ClientChoice,
  signal: AbortSignal,
): Promise<void> {
  const { secured } = await import("./_client/security.ts");
  const { talkTcp } = await import("../core/echo/client.ts");
  const { dialEcho } = await import("../core/echo/dial.ts");
  const choice = { tls: encrypted, plaintext: !encrypted, pin };
  const { trust } = secured({ account: undefined, ...address }, choice);
  const timeoutMs = timeout * 1000;
  using stream = await dialEcho(address, { timeout: timeoutMs, signal, trust });
  const stop = () => stream.close(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  await talkTcp(stream, Deno.stdin.readable, stdoutBytes, {
    timeoutMs,
    onTime: verbose ? (n, ms) => note(`answer ${n} in ${ms.toFixed(3)} ms`) : undefined,
  });
}
