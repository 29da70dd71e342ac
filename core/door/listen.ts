/** Accepts connections for doors that serve each connection by its own object (native, FTP, SFTP). */
import { getLogger } from "@logtape/logtape";
import { BargeError } from "../error.ts";
import { formatAddress, parseAddress } from "../net/address.ts";
import { type Pipe, Stream } from "../net/stream.ts";
import type { DoorName } from "../watch/metrics.ts";
import type { Presence } from "../watch/roster.ts";
import type { Service } from "../login/service.ts";
import type { Door } from "./door.ts";

const log = getLogger(["barge", "serve"]);
/** The wait after a failed accept, as when no descriptor is left. */
const acceptRetryMs = 50;
/** Failed accepts are logged at most once in this time. */
const logIntervalMs = 60_000;

/** Deno's listener, or one with TLS. */
export interface Listener {
  readonly addr: Deno.Addr;
  accept(): Promise<Pipe & { readonly remoteAddr: Deno.Addr; readonly localAddr?: Deno.Addr }>;
  close(): void;
}

/** Serves one connection. */
export interface Conversation {
  /** Serves the client until the connection ends. Never throws. */
  run(): Promise<void>;
  /** Ends the connection when the request under way is answered. */
  leave(): void;
  /** Ends the connection at once. */
  cut(reason: BargeError): void;
}

export interface Hosting {
  /** The door's name in the metrics. */
  readonly name: DoorName;
  readonly store: Service;
  /** The address of the listener, as the operator wrote it. */
  readonly host: string;
  readonly listener: Listener;
  /** The longest time in which a new connection neither sends nor reads, in ms. */
  readonly idleTimeoutMs: number;
  /**
   * Takes over an accepted connection, and keeps its record for listings (`presence`) up to date.
   *
   * @param local the server's address that the client has connected to; empty if unknown
   */
  readonly begin: (stream: Stream, presence: Presence, local: string) => Conversation;
  /** Refuses connections beyond the limits. */
  readonly refusals: { refuse(stream: Stream): void; stop(): Promise<void> };
}

/** Serves connections until the door is stopped. */
export function host(hosting: Hosting): Door {
  const { name, store, host, listener, refusals, begin } = hosting;
  const open = new Map<Conversation, Promise<void>>();
  const accepting = accept(listener, hosting.idleTimeoutMs, (stream, local) => {
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

/** Accepts connections until the listener is closed; a failure does not end it. */
async function accept(
  listener: Listener,
  idleTimeoutMs: number,
  take: (stream: Stream, local: string) => void,
): Promise<void> {
  let logged = -Infinity;
  while (true) {
    try {
      const conn = await listener.accept();
      const stream = open(conn, idleTimeoutMs);
      if (stream) take(stream, (conn.localAddr as Deno.NetAddr | undefined)?.hostname ?? "");
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
        return;
      }
      if (performance.now() - logged > logIntervalMs) {
        logged = performance.now();
        log.warn("can't accept connections: {why}", { why: String(error) });
      }
      await new Promise((resolve) => setTimeout(resolve, acceptRetryMs));
    }
  }
}

/** @returns undefined for a connection that is closed already */
function open(
  conn: Awaited<ReturnType<Listener["accept"]>>,
  idleTimeoutMs: number,
): Stream | undefined {
  try {
    const { hostname: host, port } = conn.remoteAddr as Deno.NetAddr;
    return new Stream(conn, formatAddress({ host, port }), idleTimeoutMs);
  } catch {
    conn.close();
    return undefined;
  }
}
