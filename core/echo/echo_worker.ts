/**
 * A worker isolate of the echo servers, which serves clients. serve.ts starts it with permission
 * for its address only (for UDP: for the network only), and controls it by messages.
 */
/// <reference lib="deno.worker" />
import { type Kind, typed } from "../error.ts";
import type { Address } from "../net/address.ts";
import type { Counters, Traffic } from "./counters.ts";
import { type EchoOptions, EchoTcp, type Ended } from "./tcp.ts";
import { EchoUdp } from "./udp.ts";

export interface Task extends Omit<EchoOptions, "onOpen" | "onEnd" | "onTrouble"> {
  readonly transport: "tcp" | "udp";
  readonly address: Address;
  /** Whether to post an event for each connection. */
  readonly log: boolean;
}

export type ToEcho =
  | { readonly type: "start"; readonly task: Task }
  | { readonly type: "count"; readonly number: number }
  | { readonly type: "stop" };

/** An event of one connection. */
export type EchoEvent =
  | { readonly type: "opened"; readonly peer: string }
  | { readonly type: "closed"; readonly ended: Ended }
  | { readonly type: "trouble"; readonly message: string };

/** The counters, and the traffic of each open connection. */
export interface Count {
  readonly counters: Counters;
  readonly connections: readonly Traffic[];
}

export type FromEcho =
  | EchoEvent
  | { readonly type: "listening"; readonly address: Address }
  | { readonly type: "failed"; readonly kind: Kind; readonly message: string }
  | ({ readonly type: "counted"; readonly number: number } & Count)
  | { readonly type: "stopped"; readonly counters: Counters };

const scope = self as unknown as DedicatedWorkerGlobalScope;
let server: EchoTcp | EchoUdp | undefined;

scope.onmessage = async ({ data: message }: MessageEvent<ToEcho>) => {
  if (message.type === "start") return await start(message.task);
  if (!server) return;
  if (message.type === "stop") {
    await server.stop();
    return post({ type: "stopped", counters: server.counters });
  }
  const { number } = message;
  const connections = server instanceof EchoTcp ? server.connections : [];
  post({ type: "counted", number, counters: server.counters, connections });
};

async function start({ transport, address, log, ...options }: Task): Promise<void> {
  try {
    server = transport === "udp"
      ? EchoUdp.listen(address, options.raw)
      : await EchoTcp.listen(address, {
        ...options,
        onOpen: log ? (peer) => post({ type: "opened", peer }) : undefined,
        onEnd: log ? (ended) => post({ type: "closed", ended }) : undefined,
        onTrouble: ({ message }) => post({ type: "trouble", message }),
      });
    post({ type: "listening", address: server.address });
  } catch (error) {
    // `typed` rethrows a bug, which ends the isolate with an error event.
    const { kind, message } = typed(error);
    post({ type: "failed", kind, message });
  }
}

function post(message: FromEcho): void {
  scope.postMessage(message);
}
