/** Accepts connections for the native door, in a worker. */
import { type Address, formatAddress } from "../net/address.ts";
import { Stream } from "../net/stream.ts";
import { Connection } from "../door/native/connection.ts";
import type { Store } from "../session/store.ts";

/** A door that is open. */
export interface Door {
  /**
   * Stops accepting, lets the requests that are under way end, and cuts what still runs after
   * `grace` ms: uploads among that can be continued.
   */
  stop(grace: number): Promise<void>;
}

/** @throws {BargeError} `fatal` when the address is taken */
export function listenNative(store: Store, address: Address, reusePort: boolean): Door {
  const { host: hostname, port } = address;
  const listener = Deno.listen({ hostname, port, reusePort });
  const open = new Map<Connection, Promise<void>>();
  const accepting = accept(listener, (conn) => {
    const { hostname: host, port } = conn.remoteAddr as Deno.NetAddr;
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

/** Until the listener is closed. One that can't be accepted (no descriptor left) stops nothing. */
async function accept(listener: Deno.Listener, take: (conn: Deno.Conn) => void): Promise<void> {
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
