/**
 * A worker isolate of the echo servers: talks to strangers, and may touch nothing but its address
 * (of UDP: nothing but the network).
 * serve.ts starts it with the permissions that make this so, and speaks to it in messages.
 */
/// <reference lib="deno.worker" />
import { type Kind, typed } from "../error.ts";
import type { Address } from "../net/address.ts";
import type { KeyPair } from "../net/certificate.ts";
import type { Counters, Traffic } from "./counters.ts";
import { EchoTcp, type Ended } from "./tcp.ts";
import { EchoUdp } from "./udp.ts";

/** What a worker is to serve. */
export interface Task {
  readonly transport: "tcp" | "udp";
  readonly address: Address;
  readonly raw: boolean;
  readonly reusePort: boolean;
  readonly tls: KeyPair | undefined;
  readonly maxConnections: number;
  readonly idle: number;
  /** How many connections may wait to be accepted. */
  readonly backlog: number;
  readonly seats: Int32Array;
  /** Is somebody interested in each connection? */
  readonly log: boolean;
}

export type ToEcho =
  | { readonly type: "start"; readonly task: Task }
  | { readonly type: "count"; readonly number: number }
  | { readonly type: "stop" };

/** What happened to one connection. */
export type EchoEvent =
  | { readonly type: "opened"; readonly peer: string }
  | { readonly type: "closed"; readonly ended: Ended }
  | { readonly type: "trouble"; readonly message: string };

export type FromEcho =
  | EchoEvent
  | { readonly type: "listening"; readonly address: Address }
  | { readonly type: "failed"; readonly kind: Kind; readonly message: string }
  | {
    readonly type: "counted";
    readonly number: number;
    readonly counters: Counters;
    readonly connections: readonly (Traffic & { readonly peer: string })[];
  }
  | { readonly type: "stopped"; readonly counters: Counters };

const scope = self as unknown as DedicatedWorkerGlobalScope;
let server: EchoTcp | EchoUdp | undefined;

scope.onmessage = async ({ data: message }: MessageEvent<ToEcho>) => {
  if (message.type === "start") return await start(message.task);
  if (!server) return;
  if (message.type === "stop") {
    await server.stop();
    return tell({ type: "stopped", counters: server.counters });
  }
  const { number } = message;
  const connections = server instanceof EchoTcp ? server.connections : [];
  tell({ type: "counted", number, counters: server.counters, connections });
};

async function start({ transport, address, log, ...options }: Task): Promise<void> {
  try {
    server = transport === "udp"
      ? EchoUdp.listen(address, options.raw)
      : await EchoTcp.listen(address, {
        ...options,
        onOpen: log ? (peer) => tell({ type: "opened", peer }) : undefined,
        onEnd: log ? (ended) => tell({ type: "closed", ended }) : undefined,
        onTrouble: ({ message }) => tell({ type: "trouble", message }),
      });
    tell({ type: "listening", address: server.address });
  } catch (error) {
    // A bug is thrown on by `typed`: that ends the isolate, and whoever started it is told why.
    const { kind, message } = typed(error);
    tell({ type: "failed", kind, message });
  }
}

function tell(message: FromEcho): void {
  scope.postMessage(message);
}
