/** Reserves the address of a door until the workers listen. */
import { typed } from "../../error.ts";
import { type Address, formatAddress } from "../../net/address.ts";

/**
 * Checks that an address is free, and replaces port 0 by the port that the system chooses. Workers share
 * their port, but the check listens without sharing, so it fails if another program listens there. A shared
 * address is then held until disposal, so that the system gives the port to no other program.
 *
 * @param shared true if several workers will listen at the address
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
