/**
 * One file down: reads the answer to a GET to its end, inside a turn, and checks what arrived.
 *
 * States: asked -> (refused | answered) -> body -> trailer. While a piece is written and hashed, the
 * next one is read. When our side fails, the rest of a short body is read and dropped, so that
 * others can go on over the same connection; a long one is cut off.
 */
import { BargeError, typed } from "../../error.ts";
import { type Answer, parseOther } from "../../protocol/message.ts";
import type { FrameReader } from "../../protocol/reader.ts";
import type { Client } from "../client.ts";
import type { Hash } from "../transfer/hash.ts";

/** Bytes that are read only to be dropped, rather than to lose the connection. */
const drainable = 8 * 1024 * 1024;

export interface Reception {
  /**
   * SHA-256 over what is there already: the bytes before the offset that was asked for. Undefined:
   * what arrives is not compared with what the server says of it.
   */
  readonly hash: Hash | undefined;
  /** The digest that the bytes before the offset belong to. */
  readonly expected: string | null;
  /** Called once, with the answer, before the body; a throw is our failure. */
  begin(answer: Answer<"get">): void;
  /** Takes a piece, which stays valid until it resolves. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** `failed`: on our side, or the digest differs. `again`: the file is another one by now. */
export type Received =
  | { readonly type: "whole"; readonly answer: Answer<"get">; readonly sha256: string | null }
  | { readonly type: "again" }
  | { readonly type: "failed"; readonly error: BargeError };

/**
 * @param frames stand before the answer
 * @throws {BargeError} what the server answered; what is wrong with the connection
 */
export async function receive(
  client: Client,
  frames: FrameReader,
  { hash, expected, begin, write }: Reception,
): Promise<Received> {
  const answer = await client.next("get", frames);
  const other = answer.offset > 0 && answer.sha256 !== null && answer.sha256 !== expected;
  let failed: BargeError | undefined;
  let left = answer.body;
  let writing: Promise<void> | undefined;
  const fail = (cause: unknown) => {
    failed ??= typed(cause);
    if (left > drainable) throw failed;
  };
  try {
    if (other) {
      if (left > drainable) throw new BargeError("unavailable", "the file changed at the server");
    } else begin(answer);
  } catch (cause) {
    fail(cause);
  }
  try {
    for await (const piece of frames.body()) {
      left -= piece.length;
      if (other || failed) continue;
      await (writing && client.paused(writing).catch(fail));
      writing = failed ? undefined : write(piece);
      writing?.catch(() => {/* awaited with the next piece */});
      hash?.update(piece);
    }
  } finally {
    await (writing && client.paused(writing).catch((cause) => failed ??= typed(cause)));
  }
  const trailer = await frames.frame();
  if (!trailer) throw new BargeError("unavailable", "it closed the connection");
  const { sha256: theirs } = parseOther("trailer", trailer.value);
  if (failed) return { type: "failed", error: failed };
  if (other) return { type: "again" };
  const sha256 = hash?.digest("hex") ?? theirs ?? answer.sha256;
  if (sha256 === (theirs ?? sha256) && sha256 === (answer.sha256 ?? sha256)) {
    return { type: "whole", answer, sha256 };
  }
  return { type: "failed", error: otherBytes() };
}

export function otherBytes(): BargeError {
  return new BargeError("digest", "what arrived is not what the server has", {
    hint:
      "run the same command again; `barge verify` at the server tells whether its disk is sound",
  });
}
