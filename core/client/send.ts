/**
 * One file up, whose size may need more than one frame: asks where to go on, sends in chunks, and
 * waits until the server has it.
 *
 * The body is chunked even where its size is known: a source that shrinks while it is read can then
 * be taken back with an empty trailer, instead of cutting the connection that a tree goes over.
 *
 * States: asked -> (refused | told to go on) -> prefix compared -> sending -> trailer -> answered.
 */
import { BargeError } from "../error.ts";
import { abandon, borrow, giveBack } from "../disk/buffer_pool.ts";
import { aliveLength, encodeChunkHead, encodeFrame } from "../protocol/frame.ts";
import type { Answer } from "../protocol/message.ts";
import { type Client, diskPatience } from "./client.ts";
import { type Hash, hashInto, sha256 } from "./hash.ts";

/** Sends signs of life in a body that pauses. */
const aliveHead = encodeChunkHead(aliveLength);

/** What a file is made of: a local file, or standard input. */
export interface Content {
  /** Reads on, at most as much as fits; null at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Goes to a place, where that can be done: only then can an upload be resumed. */
  readonly file?: Deno.FsFile;
}

export interface Upload {
  /** The remote path. */
  readonly path: string;
  /** In bytes; null when only the end will tell. */
  readonly size: number | null;
  readonly modified?: Date;
  /** False: no digest is computed; the size is what tells that all has come. */
  readonly verify: boolean;
  /** `never`: an existing file is a failure. */
  readonly overwrite: "always" | "never";
}

/** What {@link send} tells while it is at it. */
export interface Progress {
  start(offset: number): void;
  bytes(count: number): void;
}

export interface Sent {
  /** The server's word that it has the file; failures are typed as {@link send} says. */
  readonly answer: Promise<Answer<"put">>;
  /** Where the upload went on. */
  readonly offset: number;
}

/**
 * @param content stands at its beginning; not needed any more when this resolves
 * @returns once all is sent, before it is answered
 * @throws {BargeError} what the server answered instead of "go on"; why the connection is closed.
 *   From `answer`: what the server answered; `changed` when the content ended too early; whatever
 *   reading it threw, after the upload was taken back
 */
export async function send(
  client: Client,
  upload: Upload,
  content: Content,
  progress: Progress,
): Promise<Sent> {
  const { path, size, overwrite } = upload;
  const request = encodeFrame({
    verb: "put",
    path,
    size,
    overwrite: overwrite === "never" ? overwrite : undefined,
    modified: upload.modified?.toISOString(),
  });
  const go = client.answer((frames) => client.next("go", frames), diskPatience);
  go.catch(() => {/* awaited below; sending may fail first */});
  await client.send(request);
  await client.flush();
  const resumed = await resume(client, content, size, await go);
  const { offset } = resumed;
  const hash = upload.verify || size === null ? resumed.hash : undefined;
  progress.start(offset);
  const verdict = expectAnswer(client);
  let failed: unknown;
  try {
    const pauses = client.hello.pause ? true : undefined;
    await client.send(encodeFrame({ offset, body: "chunked", pauses }));
    const length = size === null ? Infinity : size - offset;
    const sent = await chunks(client, content, length, hash, progress, verdict.early)
      .catch((cause) => {
        if (client.closed) throw client.closed;
        failed = cause;
        return 0;
      });
    if (!failed && size !== null && sent < length && !verdict.settled()) {
      failed = new BargeError("changed", `it shrank from ${size} bytes while it was sent`);
    }
    const whole = !failed && !verdict.settled();
    const trailer = !whole
      ? encodeFrame({ sha256: null })
      : encodeFrame(hash ? { sha256: hash.digest("hex") } : { sha256: null, whole });
    await client.send(encodeChunkHead(0), trailer);
    await client.flush();
  } finally {
    verdict.due();
  }
  const answer = verdict.answer.then((answer) => {
    if (failed) throw new BargeError("protocol", "the server kept what was taken back");
    return answer;
  }, (error) => {
    throw failed ?? error;
  });
  answer.catch(() => {/* the caller awaits it, later */});
  return { answer, offset };
}

/**
 * Queues the reading of the last answer, which may come early when the server refuses to go on.
 * Until it is due, it is the writes that have deadlines: a server is silent in a long upload.
 */
function expectAnswer(client: Client) {
  const sent = Promise.withResolvers<void>();
  const answer = client.answer(async (frames) => {
    const frame = client.next("put", frames);
    await client.aside(Promise.race([sent.promise, frame.then(() => {}, () => {})]));
    return await frame;
  }, diskPatience);
  let settled = false;
  const early = answer.then(() => {}, () => {}).finally(() => settled = true);
  return { answer, early, settled: () => settled, due: () => sent.resolve() };
}

/** Compares what the server has with one's own bytes, and stands where to go on. */
async function resume(
  client: Client,
  { file }: Content,
  size: number | null,
  go: Answer<"go">,
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
 * Sends a body in chunks: while one is written and hashed, the next is read.
 *
 * @param length bytes to send
 * @param early resolves when the server has answered already, or the connection is closed
 * @returns how many were sent: fewer when the content ended, or the server did not want more
 */
async function chunks(
  client: Client,
  content: Content,
  length: number,
  hash: Hash | undefined,
  progress: Progress,
  early: Promise<void>,
): Promise<number> {
  // The chunk's head stands in front of its bytes, so that both are one write.
  const head = 4;
  let [full, empty] = [borrow(), borrow()];
  const enough = early.then(() => null);
  let reading: Promise<number | null> | undefined;
  const read = (into: Uint8Array, left: number) => {
    if (left <= 0) return Promise.resolve(null);
    reading = content.read(into.subarray(head, head + left)).finally(() => reading = undefined);
    return Promise.race([reading, enough]);
  };
  let sent = 0;
  // The source may pause for long: `pg_dump` computes, a disk spins up, a network mount stalls.
  using _alive = client.keepAlive(() => client.send(aliveHead).then(() => client.flush()));
  try {
    let n = await read(full, length);
    while (n) {
      full.set(encodeChunkHead(n));
      const next = read(empty, length - sent - n);
      next.catch(() => {/* awaited below, when the write is through */});
      const writing = client.send(full.subarray(0, head + n));
      hash?.update(full.subarray(head, head + n));
      await writing;
      sent += n;
      progress.bytes(n);
      n = await next;
      [full, empty] = [empty, full];
    }
    return sent;
  } finally {
    // A file is soon done reading; standard input may wait for ever, and then keeps the buffers.
    if (content.file) await reading?.catch(() => {/* the failure at hand is the one to tell */});
    for (const buffer of [full, empty]) (reading ? abandon : giveBack)(buffer);
  }
}
