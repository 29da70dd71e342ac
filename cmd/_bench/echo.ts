/** The common part of `echo-tcp` and `echo-udp`: options, log, running a server. */
import type { Counters } from "../../core/echo/counters.ts";
import type { EchoEvent } from "../../core/echo/echo_worker.ts";
import type { EchoServeOptions, EchoServer } from "../../core/echo/serve.ts";
import { formatAddress } from "../../core/net/address.ts";
import { flag, optionalArgument, type ValuesOf } from "../_term/command.ts";
import { note, printJson } from "../_term/out.ts";
import { counted } from "../_term/progress.ts";
import { formatSize } from "../../core/size.ts";

/** The options of both servers. */
export const echoOptions = {
  at: optionalArgument("HOST:PORT", "Where to listen. Default: 127.0.0.1:7007"),
  raw: flag("Answer with the bytes as they are (RFC 862)"),
  verbose: flag("Client: print the latency of each answer. Server: also log new connections", "-v"),
  quiet: flag("Do not log connections", "-q"),
};

export interface ServeChoice extends Pick<ValuesOf<typeof echoOptions>, "quiet" | "verbose"> {
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** The certificate's fingerprint, with TLS. */
  readonly fingerprint?: string;
}

/** Serves until the signal; prints the counters on SIGUSR1 and at the end. */
export async function serveEcho(
  options: Omit<EchoServeOptions, "log" | "onEvent">,
  { json, quiet, verbose, signal, fingerprint }: ServeChoice,
): Promise<void> {
  const { EchoServer } = await import("../../core/echo/serve.ts");
  let lastTroubleAt = -Infinity;
  const server = await EchoServer.start({
    ...options,
    log: !quiet,
    onEvent(event) {
      if (event.type === "trouble") {
        if (performance.now() - lastTroubleAt < 10_000) return;
        lastTroubleAt = performance.now();
      }
      if (event.type !== "opened" || verbose) logEvent(event, json);
    },
  });
  const at = formatAddress(server.address);
  const facts = { address: at, transport: options.transport, fingerprint: fingerprint ?? null };
  if (json) printJson({ event: "ready", ...facts });
  else {
    const how = options.raw ? "as it is" : "in upper case";
    note(`barge answers ${options.transport.toUpperCase()} at ${at}, ${how}; Ctrl-C ends it`);
    if (fingerprint) note(`its certificate is ${fingerprint}`);
  }
  const report = () =>
    void printCounters(server, options.transport, json).catch(() => {/* the server ends */});
  const signals = Deno.build.os !== "windows";
  if (signals) Deno.addSignalListener("SIGUSR1", report);
  try {
    await Promise.race([aborted(signal), server.died]);
  } finally {
    if (signals) Deno.removeSignalListener("SIGUSR1", report);
  }
  const counters = await server.stop();
  if (json) printJson({ event: "end", ...counters });
  else note(`in all: ${described(counters, options.transport)}`);
}

async function printCounters(
  server: EchoServer,
  transport: "tcp" | "udp",
  json: boolean,
): Promise<void> {
  const { counters, connections } = await server.count();
  if (json) return printJson({ event: "counters", ...counters, connections });
  for (const { peer, received, sent } of connections) {
    note(`${peer}: ${formatSize(received)} in, ${formatSize(sent)} out`);
  }
  note(`until now: ${described(counters, transport)}`);
}

function described(counters: Counters, transport: "tcp" | "udp"): string {
  const moved = `${formatSize(counters.received)} in, ${formatSize(counters.sent)} out`;
  if (transport === "udp") {
    const { datagrams, answered, dropped } = counters;
    return `${counted(datagrams, "datagram")}, ${answered} answered, ${dropped} dropped; ${moved}`;
  }
  const { accepted, open, refused, idle } = counters;
  return `${
    counted(accepted, "connection")
  }, ${open} open, ${refused} refused, ${idle} cut as idle; ${moved}`;
}

function logEvent(event: EchoEvent, json: boolean): void {
  if (json) {
    const { type, ...facts } = event.type === "closed"
      ? { type: event.type, ...event.ended }
      : event;
    printJson({ event: type, ...facts });
  } else if (event.type === "opened") note(`${event.peer} connected`);
  else if (event.type === "trouble") {
    note(`barge: connections are refused: ${event.message}`);
    note("(--max-connections, and `ulimit -n` before it is started, allow more)");
  } else {
    const { peer, received, sent, seconds, why } = event.ended;
    note(`${peer} ${why} after ${seconds} s: ${formatSize(received)} in, ${formatSize(sent)} out`);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
