/**
 * Runs transfers: the first reply, the data connection, the failures.
 *
 *   150 -> (425: no connection; 522: no TLS session of the client) -> moving -> 226
 *                                      \-> 426 (cut, aborted), 552, 452, 451
 */
import { BargeError, typed } from "../../error.ts";
import type { Stream } from "../../net/stream.ts";
import type { Data } from "./data_port.ts";
import type { Connection } from "./row.ts";
import { Failed, reply } from "./reply.ts";

/**
 * Runs a transfer over the data connection.
 *
 * @param about the text of the first reply
 * @param work gets the connection, which is closed when the work ends or the transfer is aborted
 * @throws {BargeError} as `work`; {Failed} 425, 426, 521, 522
 */
export async function overData<T>(
  c: Connection,
  about: string,
  work: (data: Data) => Promise<T>,
): Promise<T> {
  checkData(c);
  const certificate = c.state.protect ? c.identity : undefined;
  const aborting = c.transfer = new AbortController();
  const signal = AbortSignal.any([aborting.signal, c.ended.signal]);
  let stream: Stream | undefined;
  const cut = () => stream?.close(typed(signal.reason));
  signal.addEventListener("abort", cut);
  try {
    await c.answer(reply(150, about));
    stream = await c.data.open(signal).catch(refuse);
    signal.throwIfAborted();
    const tls = certificate && await c.data.secure(stream, certificate).catch(refuse);
    const done = await work({ stream, tls });
    signal.throwIfAborted();
    return done;
  } catch (error) {
    if (!signal.aborted) throw error;
    const { kind, message } = typed(signal.reason);
    const { hint } = error as { hint?: string };
    throw new Failed(426, kind, message, { hint });
  } finally {
    signal.removeEventListener("abort", cut);
    stream?.close();
    c.transfer = undefined;
  }
}

/** Throws the failure of a data connection that could not be opened. @throws {Failed} */
function refuse(error: unknown): never {
  const { kind, message, hint } = typed(error);
  throw new Failed(kind === "identity" ? 522 : 425, kind, message, { hint });
}

/** Checks that a transfer may begin. @throws {Failed} without a data connection, or without required TLS */
export function checkData(c: Connection): void {
  if (c.door.spec.tls === "require" && !c.state.protect) {
    const hint = "send PBSZ 0 and PROT P first";
    throw new Failed(521, "refused", "Data connections without TLS are not allowed", { hint });
  }
  if (c.data.ready) return;
  throw new Failed(425, "usage", "No data connection", { hint: "use PASV or EPSV first" });
}

/** Returns the failure of a transfer that begins at an offset; 554 for an offset beyond the end. */
export function restFailure(error: unknown, path: string): unknown {
  if (!(error instanceof BargeError) || error.kind !== "usage") return error;
  return new Failed(554, "usage", `invalid REST: ${error.message}`, { path, hint: error.hint });
}

/** Reads from the data connection. @returns null at the end @throws {Failed} 426 when it was cut */
export async function receive({ stream }: Data, into: Uint8Array): Promise<number | null> {
  try {
    return await stream.read(into);
  } catch (error) {
    throw cutOff(error);
  }
}

/** The most bytes of one write over TLS: a write shows its progress only when it ends. */
const tlsPieceBytes = 64 * 1024;

/** Sends bytes. @throws {Failed} 426 when the client has left, or reads nothing */
export async function send({ stream, tls }: Data, bytes: Uint8Array): Promise<void> {
  try {
    if (!tls) return await stream.write(bytes);
    for (let at = 0; at < bytes.length; at += tlsPieceBytes) {
      await stream.write(bytes.subarray(at, at + tlsPieceBytes));
    }
  } catch (error) {
    throw cutOff(error);
  }
}

function cutOff(error: unknown): Failed {
  const why = error instanceof BargeError ? error.message : String(error);
  return new Failed(426, "unavailable", `The data connection was cut: ${why}`);
}
