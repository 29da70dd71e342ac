import { BargeError } from "../error.ts";
import type { Address } from "../net/address.ts";
import { dial, type DialOptions } from "../net/dial.ts";
import type { Stream } from "../net/stream.ts";

/**
 * Connects to an echo server.
 *
 * @returns a stream without a timeout, since a person may type its input
 * @throws {BargeError} as dial
 */
export async function dialEcho(
  address: Address,
  options: Omit<DialOptions, "idleTimeoutMs">,
): Promise<Stream> {
  try {
    return await dial(address, { ...options, idleTimeoutMs: Infinity });
  } catch (error) {
    // The hint of `dial` is about `barge serve`.
    if (!(error instanceof BargeError) || !(error.cause instanceof Deno.errors.ConnectionRefused)) {
      throw error;
    }
    throw error.replacing({ hint: "is `barge echo-tcp` running?" });
  }
}
