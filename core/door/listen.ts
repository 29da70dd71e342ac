/**
 * Accepts connections for a door that serves each as one conversation (native, FTP): past the gate
 * one by one, each with its own object that serves it to its end.
 */
import { getLogger } from "@logtape/logtape";
import { BargeError } from "../error.ts";
import { formatAddress, parseAddress } from "../net/address.ts";
import type { Pipe } from "../net/stream.ts";
import { Stream } from "../net/stream.ts";
import type { DoorName } from "../watch/metrics.ts";
import type { Presence } from "../watch/roster.ts";
import type { Service } from "../login/service.ts";
import type { Door } from "./door.ts";

const log = getLogger(["barge", "serve"]);
/** After a failed accept (no descriptor is left) the next one is tried so many ms later. */
const pause = 50;
/** Such failures are told once in so many ms. */
const quiet = 60_000;

/** What gives out connections: Deno's listener, or one with TLS. */
export interface Listener {
  readonly addr: Deno.Addr;
  accept(): Promise<Pipe & { readonly remoteAddr: Deno.Addr; readonly localAddr?: Deno.Addr }>;
  close(): void;
}

/** One client, from its first byte to its last. */
export interface Conversation {
  /** Serves the client until it is gone. Never throws. */
  run(): Promise<void>;
  /** Ends it when what is under way is done. */
  leave(): void;
  /** Cuts it off, whatever is under way. */
  cut(reason: BargeError): void;
}

export interface Hosting {
  /** The door, as it is counted. */
  readonly name: DoorName;
  readonly store: Service;
  /** Where the listener listens, as the operator said it. */
  readonly host: string;
  readonly listener: Listener;
  /** How long a new connection may be silent, in ms. */
  readonly patience: number;
  /**
   * Takes over a connection that was let in, and says of it who it is and what it does.
   *
   * @param local the address of ours that it has reached, if that is known
   */
  readonly begin: (stream: Stream, presence: Presence, local: string) => Conversation;
  /** Those for whom there is no place: told so, or closed. */
  readonly refusals: { refuse(stream: Stream): void; stop(): Promise<void> };
}

/** Serves who connects, until the door is stopped. */
export function host(hosting: Hosting): Door {
  const { name, store, host, listener, refusals, begin } = hosting;
  const open = new Map<Conversation, Promise<void>>();
  const accepting = accept(listener, hosting.patience, (stream, local) => {
    const leave = store.gate.enter(parseAddress(stream.peer).host);
    if (!leave) {
      store.metrics.refused(name);
      return refusals.refuse(stream);
    }
    const presence = store.roster.enter(name, stream.peer);
    const conversation = begin(stream, presence, local);
    const ended = conversation.run().finally(() => {
      open.delete(conversation);
      presence.leave();
      leave();
    });
    open.set(conversation, ended);
  });
  return {
    address: { host, port: (listener.addr as Deno.NetAddr).port },
    get connections() {
      return open.size;
    },
    async stop(grace) {
      listener.close();
      await accepting;
      for (const conversation of open.keys()) conversation.leave();
      const cut = setTimeout(() => {
        const reason = new BargeError("unavailable", "the server is stopping");
        for (const conversation of open.keys()) conversation.cut(reason);
      }, grace);
      await refusals.stop();
      await Promise.all(open.values());
      clearTimeout(cut);
    },
  };
}

/** Until the listener is closed. One that can't be accepted stops nothing. */
async function accept(
  listener: Listener,
  patience: number,
  take: (stream: Stream, local: string) => void,
): Promise<void> {
  let told = -Infinity;
  while (true) {
    try {
      const conn = await listener.accept();
      const stream = open(conn, patience);
      const local = (conn.localAddr as Deno.NetAddr | undefined)?.hostname ?? "";
      if (stream) take(stream, local);
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
        return;
      }
      if (performance.now() - told > quiet) {
        told = performance.now();
        log.warn("can't accept connections: {why}", { why: String(error) });
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** @returns undefined for one that is gone already */
function open(
  conn: Awaited<ReturnType<Listener["accept"]>>,
  patience: number,
): Stream | undefined {
  try {
    const { hostname: host, port } = conn.remoteAddr as Deno.NetAddr;
    return new Stream(conn, formatAddress({ host, port }), patience);
  } catch {
    conn.close();
    return undefined;
  }
}
