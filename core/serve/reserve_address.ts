/** Reserves the address of a door until the workers listen. */
import { typed } from "../error.ts";
import { type Address, formatAddress } from "../net/address.ts";

/**
 * Checks that an address is free, and replaces port 0 by the port that the system chooses. The check does
 * not share the port, as workers do, so it finds another program's server. A shared address is then held
 * until disposal, so that the system gives the port to no other program.
 *
 * @throws {BargeError}
 */
export function reserveAddress(
  wanted: Address,
  shared: boolean,
): Disposable & { readonly address: Address } {
  const { host: hostname } = wanted;
  try {
    let listener = Deno.listen({ hostname, port: wanted.port });
    const { port } = listener.addr;
    listener.close();
    if (shared) listener = Deno.listen({ hostname, port, reusePort: true });
    return {
      address: { host: hostname, port },
      [Symbol.dispose]() {
        if (shared) listener.close();
      },
    };
  } catch (error) {
    throw typed(error, { op: "listen on", path: formatAddress(wanted) });
  }
}
