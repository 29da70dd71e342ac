/**
 * Uploads one file of any size. States: requested -> (refused | "go on") -> prefix compared ->
 * sending -> trailer -> answered.
 *
 * The body is chunked even if its size is known: when a source shrinks while it is read, an empty
 * trailer ends the upload without a file, and the connection stays usable.
 */
import { counted } from "../../counted.ts";
import { BargeError } from "../../error.ts";
import { abandon, borrow, giveBack } from "../../disk/buffer_pool.ts";
import { aliveChunkLength, encodeChunkHead, encodeFrame } from "../../protocol/frame.ts";
import type { Answer } from "../../protocol/message.ts";
import { type Client, diskTimeoutMs } from "../client.ts";
import type { Hash } from "../transfer/hash.ts";

const aliveHead = encodeChunkHead(aliveChunkLength);

/** The bytes of an upload: a local file, or standard input. */
export interface Content {
  /** Reads the next bytes, at most as many as fit. @returns their number; null at the end */
  read(into: Uint8Array): Promise<number | null>;
  /** The file to seek in. Without it, an upload can't be resumed. */
  readonly file?: Deno.FsFile;
}

export interface PutRequest {
  /** The remote path. */
  readonly path: string;
  /** In bytes; null if only the end of the content shows it. */
  readonly size: number | null;
  readonly modified?: Date;
  /** False: no digest is computed, and the size alone proves that the upload is complete. */
  readonly verify: boolean;
  /** `never`: an existing file is a failure. */
  readonly overwrite?: "never";
}

interface Progress {
  start(offset: number): void;
  bytes(count: number): void;
}

/**
 * Sends one file.
 *
 * @param content at its start; no longer read when this resolves
 * @returns once all bytes are sent: the answer to come, and the offset where the upload was resumed
 * @throws {BargeError} the server's failure in place of "go on"; why the connection is closed. From
 *   `answer`: the server's failure; `changed` if the content ended too early; the failure to read
 *   it, after the upload was given up
 */
export async function send(
  client: Client,
  request: PutRequest,
  content: Content,
  progress: Progress,
): Promise<{ readonly answer: Promise<Answer<"put">>; readonly offset: number }> {
  const { path, size, modified, verify, overwrite } = request;
  const put = {
    verb: "put",
    path,
    size,
    overwrite,
    modified: modified?.toISOString(),
  } as const;
  const asking = client.request(put, (frames) => client.next("go", frames), diskTimeoutMs);
  const hashing = import("../transfer/hash.ts"); // loaded while the server answers
  const resumed = await resume(client, content, size, await asking, await hashing);
  const { offset } = resumed;
  const hash = verify || size === null ? resumed.hash : undefined;
  progress.start(offset);
  const expected = expectAnswer(client);
  let failed: unknown;
  try {
    const pauses = client.hello.pause ? true : undefined;
    await client.send(encodeFrame({ offset, body: "chunked", pauses }));
    const length = size === null ? Infinity : size - offset;
    const sent = await chunks(client, content, length, hash, progress, expected.early)
      .catch((cause) => {
        if (client.closed) throw client.closed;
        failed = cause;
        return 0;
      });
    if (!failed && size !== null && sent < length && !expected.settled()) {
      failed = new BargeError(
        "changed",
        `it shrank from ${counted(size, "byte")} while it was sent`,
      );
    }
    const whole = !failed && !expected.settled();
    const trailer = encodeFrame(
      whole && hash ? { sha256: hash.digest("hex") } : { sha256: null, whole: whole || undefined },
    );
    await client.send(encodeChunkHead(0), trailer);
    await client.flush();
  } finally {
    expected.allSent();
  }
  const answer = expected.answer.then((answer) => {
    if (failed) throw new BargeError("protocol", "the server kept an upload that was given up");
    return answer;
  }, (error) => {
    throw failed ?? error;
  });
  answer.catch(() => {/* the caller awaits it later */});
  return { answer, offset };
}

/**
 * Queues the reading of the last answer, which arrives early if the server refuses the rest. The deadline
 * for the answer begins when all is sent, since the server is silent during an upload.
 */
function expectAnswer(client: Client) {
  const sent = Promise.withResolvers<void>();
  const answer = client.answer(async (frames) => {
    const frame = client.next("put", frames);
    await client.aside(Promise.race([sent.promise, frame.then(() => {}, () => {})]));
    return await frame;
  }, diskTimeoutMs);
  let settled = false;
  const early = answer.then(() => {}, () => {}).finally(() => settled = true);
  return { answer, early, settled: () => settled, allSent: () => sent.resolve() };
}

/** Compares the server's bytes with the content, and seeks to the offset where it resumes. */
async function resume(
  client: Client,
  { file }: Content,
  size: number | null,
  go: Answer<"go">,
  { hashInto, sha256 }: typeof import("../transfer/hash.ts"),
) {
  const hash = sha256();
  const { offset, prefix } = go;
  if (!file || size === null || offset === 0 || offset > size) return { offset: 0, hash };
  const alive = encodeFrame({ alive: true });
  using _alive = client.keepAlive(() => client.send(alive).then(() => client.flush()));
  const n = await hashInto(hash, file, offset, () => client.closed).catch(() => -1);
  if (n === offset && hash.copy().digest("hex") === prefix) return { offset, hash };
  await file.seek(0, Deno.SeekMode.Start);
  return { offset: 0, hash: sha256() };
}

/**
 * Sends a body in chunks. While one chunk is written and hashed, the next is read.
 *
 * @param length bytes to send
 * @param early resolves if the server has answered already, or the connection is closed
 * @returns the number of sent bytes; fewer if the content ended or the server refused more
 */
async function chunks(
  client: Client,
  content: Content,
  length: number,
  hash: Hash | undefined,
  progress: Progress,
  early: Promise<void>,
): Promise<number> {
  // The chunk's head precedes its bytes in the buffer, so that both are one write.
  const headBytes = 4;
  let [full, empty] = [borrow(), borrow()];
  const refused = early.then(() => null);
  let reading: Promise<number | null> | undefined;
  const read = (into: Uint8Array, left: number) => {
    if (left <= 0) return Promise.resolve(null);
    reading = content.read(into.subarray(headBytes, headBytes + left)).finally(() =>
      reading = undefined
    );
    return Promise.race([reading, refused]);
  };
  let sent = 0;
  // The source may pause, as a database's dump does, or a disk that spins up.
  using _alive = client.keepAlive(() => client.send(aliveHead).then(() => client.flush()));
  try {
    let n = await read(full, length);
    while (n) {
      full.set(encodeChunkHead(n));
      const next = read(empty, length - sent - n);
      next.catch(() => {/* awaited below, after the write */});
      const writing = client.send(full.subarray(0, headBytes + n));
      hash?.update(full.subarray(headBytes, headBytes + n));
      await writing;
      sent += n;
      progress.bytes(n);
      n = await next;
      [full, empty] = [empty, full];
    }
    return sent;
  } finally {
    // A read of a file ends soon. A read of standard input may never end, and keeps its buffers.
    if (content.file) await reading?.catch(() => {/* the first failure is reported */});
    for (const buffer of [full, empty]) (reading ? abandon : giveBack)(buffer);
  }
}
