/** Accepts connections for the native door, in a worker. */
import { getLogger } from "@logtape/logtape";
import { type Address, formatAddress } from "../net/address.ts";
import type { KeyPair } from "../net/certificate.ts";
import { TlsDoor } from "../net/listen_tls.ts";
import { Stream } from "../net/stream.ts";
import { Connection } from "../door/native/connection.ts";
import type { Store } from "../session/store.ts";

const log = getLogger(["barge", "serve"]);

/** A door that is open. */
export interface Door {
  /**
   * Stops accepting, lets the requests that are under way end, and cuts what still runs after
   * `grace` ms: uploads among that can be continued.
   */
  stop(grace: number): Promise<void>;
  /** Shows another certificate from here on; only a door with TLS can. */
  readonly reload?: (tls: KeyPair) => void;
}

/** @throws {BargeError} `fatal` when the address is taken */
export function listenNative(store: Store, address: Address, reusePort: boolean): Door {
  const { host: hostname, port } = address;
  return opened(store, Deno.listen({ hostname, port, reusePort }));
}

/**
 * The same with TLS.
 *
 * @param tls the certificate to show
 * @throws as listenNative; `fatal` when the certificate can't be used
 */
export async function listenNativeTls(
  store: Store,
  address: Address,
  reusePort: boolean,
  tls: KeyPair,
): Promise<Door> {
  const listener = await TlsDoor.listen(address, tls, { reusePort, onFailure: noHandshake });
  const door = opened(store, listener);
  return Object.assign(door, { reload: (pair: KeyPair) => listener.reload(pair) });
}

type Listener = TlsDoor | Deno.TcpListener;
type Accepted = Awaited<ReturnType<Listener["accept"]>>;

function opened(store: Store, listener: Listener): Door {
  const open = new Map<Connection, Promise<void>>();
  const accepting = accept(listener, (conn) => {
    const { hostname: host, port } = conn.remoteAddr;
    const connection = new Connection(
      store,
      new Stream(conn, formatAddress({ host, port }), 30_000),
    );
    open.set(connection, connection.run().finally(() => open.delete(connection)));
  });
  return {
    async stop(grace) {
      listener.close();
      await accepting;
      for (const connection of open.keys()) connection.leave();
      const cut = setTimeout(() => {
        for (const connection of open.keys()) connection.stream.close();
      }, grace);
      await Promise.all(open.values());
      clearTimeout(cut);
    },
  };
}

function noHandshake(peer: Address, why: string): void {
  log.debug("no TLS with {peer}: {why}", { peer: formatAddress(peer), why });
}

/** Until the listener is closed. One that can't be accepted (no descriptor left) stops nothing. */
async function accept(listener: Listener, take: (conn: Accepted) => void): Promise<void> {
  while (true) {
    try {
      take(await listener.accept());
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
