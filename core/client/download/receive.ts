/**
 * Receives one file: reads the answer to a GET to its end, inside a turn, and compares its digest.
 * While a piece is written and hashed, the next one is read. If this side fails, the rest of a short
 * body is dropped, so that the connection stays usable; for the rest of a long body it is closed.
 */
import { BargeError, typed } from "../../error.ts";
import { type Answer, parseBodyFrame } from "../../protocol/message.ts";
import type { FrameReader } from "../../protocol/reader.ts";
import { maxDroppedBytes } from "../ahead.ts";
import type { Client } from "../client.ts";
import type { Hash } from "../transfer/hash.ts";

interface Reception {
  /** SHA-256 of the bytes before the offset; undefined: the digest is not compared. */
  readonly hash: Hash | undefined;
  /** The digest of the content whose bytes precede the offset. */
  readonly expected: string | null;
  /** Called once, with the answer, before the body; an exception is this side's failure. */
  begin(answer: Answer<"get">): void;
  /** Takes a piece, which stays valid until it resolves. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** `changed`: the bytes before the offset are of another file. `differs`: the digest does. `failed`: this side failed. */
export type Received =
  | { readonly type: "whole"; readonly answer: Answer<"get">; readonly sha256: string | null }
  | { readonly type: "changed" }
  | { readonly type: "differs" }
  | { readonly type: "failed"; readonly error: BargeError };

/**
 * @param frames positioned before the answer
 * @throws {BargeError} the server's failure; why the connection broke
 */
export async function receive(
  client: Client,
  frames: FrameReader,
  { hash, expected, begin, write }: Reception,
): Promise<Received> {
  const answer = await client.next("get", frames);
  const changed = answer.offset > 0 && answer.sha256 !== null && answer.sha256 !== expected;
  let failed: BargeError | undefined;
  let left = answer.body;
  let writing: Promise<void> | undefined;
  const fail = (cause: unknown) => {
    failed ??= typed(cause);
    if (left > maxDroppedBytes) throw failed;
  };
  if (changed && left > maxDroppedBytes) {
    throw new BargeError("unavailable", "the file changed at the server");
  }
  try {
    if (!changed) begin(answer);
  } catch (cause) {
    fail(cause);
  }
  try {
    for await (const piece of frames.body()) {
      left -= piece.length;
      if (changed || failed) continue;
      await (writing && client.paused(writing).catch(fail));
      writing = failed ? undefined : write(piece);
      writing?.catch(() => {/* awaited with the next piece */});
      hash?.update(piece);
    }
  } finally {
    await (writing && client.paused(writing).catch((cause) => failed ??= typed(cause)));
  }
  const trailer = await frames.frame();
  if (!trailer) throw new BargeError("unavailable", "the server closed the connection");
  const { sha256: theirs } = parseBodyFrame("trailer", trailer.value);
  if (failed) return { type: "failed", error: failed };
  if (changed) return { type: "changed" };
  const sha256 = hash?.digest("hex") ?? theirs ?? answer.sha256;
  if (sha256 === (theirs ?? sha256) && sha256 === (answer.sha256 ?? sha256)) {
    return { type: "whole", answer, sha256 };
  }
  return { type: "differs" };
}

/** Returns the failure of a file whose digest differs. */
export function digestMismatch(): BargeError {
  return new BargeError("digest", "the received bytes differ from the server's digest", {
    hint: "run the same command again; `barge verify` at the server checks its files",
  });
}
