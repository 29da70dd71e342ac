/** Accepts connections for the native door, in a worker. */
import { getLogger } from "@logtape/logtape";
import { BargeError } from "../error.ts";
import { type Address, formatAddress, parseAddress } from "../net/address.ts";
import type { KeyPair } from "../net/certificate.ts";
import { TlsDoor } from "../net/listen_tls.ts";
import { Stream } from "../net/stream.ts";
import { Connection, type Patience, patience } from "../door/native/connection.ts";
import { Refusals } from "../door/native/refuse.ts";
import type { Store } from "../session/store.ts";

const log = getLogger(["barge", "serve"]);
/** After a failed accept (no descriptor is left) the next one is tried so many ms later. */
const pause = 50;
/** Such failures are told once in so many ms. */
const quiet = 60_000;

/** A door that is open. */
export interface Door {
  /** Where it listens, port 0 resolved. */
  readonly address: Address;
  /** How many connections are open. */
  readonly connections: number;
  /**
   * Stops accepting, lets the requests that are under way end, and cuts what still runs after
   * `grace` ms: uploads among that can be continued.
   */
  stop(grace: number): Promise<void>;
  /** Shows another certificate from here on; only a door with TLS can. */
  readonly reload?: (tls: KeyPair) => void;
}

/**
 * @param reusePort share the port with other workers
 * @param allowed how long clients may be silent
 * @throws {Deno.errors.AddrInUse} and others when it can't listen there
 */
export function listenNative(
  store: Store,
  address: Address,
  reusePort: boolean,
  allowed = patience,
): Door {
  const { host: hostname, port } = address;
  return opened(store, hostname, Deno.listen({ hostname, port, reusePort }), allowed);
}

/**
 * The same with TLS.
 *
 * @param tls the certificate to show
 * @throws as listenNative; {BargeError} `fatal` when the certificate can't be used
 */
export async function listenNativeTls(
  store: Store,
  address: Address,
  reusePort: boolean,
  tls: KeyPair,
  allowed = patience,
): Promise<Door> {
  const listener = await TlsDoor.listen(address, tls, { reusePort, onFailure: noHandshake });
  const door = opened(store, address.host, listener, allowed);
  return Object.assign(door, { reload: (pair: KeyPair) => listener.reload(pair) });
}

type Listener = TlsDoor | Deno.TcpListener;
type Accepted = Awaited<ReturnType<Listener["accept"]>>;

function opened(store: Store, host: string, listener: Listener, allowed: Patience): Door {
  const open = new Map<Connection, Promise<void>>();
  const refusals = new Refusals();
  const accepting = accept(listener, (stream) => {
    const leave = store.gate.enter(parseAddress(stream.peer).host);
    if (!leave) {
      store.metrics.refused("native");
      return refusals.refuse(stream);
    }
    const connection = new Connection(store, stream, allowed);
    const ended = connection.run().finally(() => {
      open.delete(connection);
      leave();
    });
    open.set(connection, ended);
  });
  return {
    address: { host, port: listener.addr.port },
    get connections() {
      return open.size;
    },
    async stop(grace) {
      listener.close();
      await accepting;
      for (const connection of open.keys()) connection.leave();
      const cut = setTimeout(() => {
        const reason = new BargeError("unavailable", "the server is stopping");
        for (const connection of open.keys()) connection.cut(reason);
      }, grace);
      await refusals.stop();
      await Promise.all(open.values());
      clearTimeout(cut);
    },
  };
}

function noHandshake(peer: Address, why: string): void {
  log.debug("no TLS with {peer}: {why}", { peer: formatAddress(peer), why });
}

/** Until the listener is closed. One that can't be accepted stops nothing. */
async function accept(listener: Listener, take: (stream: Stream) => void): Promise<void> {
  let told = -Infinity;
  while (true) {
    try {
      const conn = await listener.accept();
      const stream = open(conn);
      if (stream) take(stream);
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
function open(conn: Accepted): Stream | undefined {
  try {
    const { hostname: host, port } = conn.remoteAddr;
    return new Stream(conn, formatAddress({ host, port }), patience.stranger);
  } catch {
    conn.close();
    return undefined;
  }
}
