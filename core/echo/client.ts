/**
 * Clients of an echo server: they send a source and write the answers to a sink. Over TCP both directions
 * run concurrently, so that neither a large input nor a slow server stops the other. Over UDP each line is
 * a datagram, and the next one is sent when it is answered or lost.
 */
import { BargeError, typed } from "../error.ts";
import { type Address, formatAddress } from "../net/address.ts";
import type { Stream } from "../net/stream.ts";
import { maxDatagramBytes } from "./udp.ts";
import { upper } from "./upper.ts";

const newline = 10;
/** The largest number of timed lines without an answer; the client then waits. */
const maxTimedLines = 1024;

export type Sink = { write(bytes: Uint8Array): Promise<number> };
export type Source = AsyncIterable<Uint8Array>;

/** Receives the number of an answer, from 1, and its latency. */
export type OnTime = (answer: number, ms: number) => void;

/**
 * Sends the source, ends that direction, and writes the answers until the server ends its own.
 *
 * @param stream without a timeout of its own, since a person may type the source
 * @param timeoutMs the limit of a write, and of the server's silence after the last write, in ms
 * @param onTime called for each answered line; undefined: nothing is timed
 * @throws {BargeError} `unavailable` when the connection breaks or the server is silent for too
 *   long
 */
export async function talkTcp(
  stream: Stream,
  source: Source,
  sink: Sink,
  { timeoutMs, onTime }: { readonly timeoutMs: number; readonly onTime?: OnTime },
): Promise<void> {
  const sentAt: number[] = [];
  let [answered, allSent, over] = [0, false, false];
  let wake = () => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = () => {
    clearTimeout(timer);
    if (!allSent || over) return;
    const why = `${stream.peer} sent nothing for ${timeoutMs / 1000} s`;
    timer = setTimeout(() => stream.close(new BargeError("unavailable", why)), timeoutMs);
  };
  const receive = async () => {
    const buffer = new Uint8Array(64 * 1024);
    for (let n; (n = await stream.read(buffer)) !== null;) {
      const now = performance.now();
      const bytes = buffer.subarray(0, n);
      const lines = onTime ? Math.min(countLines(bytes), sentAt.length) : 0;
      for (const at of sentAt.splice(0, lines)) onTime?.(++answered, now - at);
      await writeAll(sink, bytes);
      watch();
      wake();
    }
  };
  const received = receive().then(() => undefined, (error: unknown) => error).finally(() => {
    over = true;
    clearTimeout(timer);
    wake();
  });
  const iterator = source[Symbol.asyncIterator]();
  try {
    while (!over) {
      const next = await Promise.race([iterator.next(), received.then(() => undefined)]);
      if (next === undefined || next.done) break;
      const now = performance.now();
      for (let lines = onTime ? countLines(next.value) : 0; lines > 0; lines--) sentAt.push(now);
      await stream.write(next.value, timeoutMs);
      while (!over && sentAt.length > maxTimedLines) await new Promise<void>((r) => wake = r);
    }
    if (!over) await stream.end();
    allSent = true;
    watch();
  } catch (error) {
    stream.close(error instanceof BargeError ? error : undefined);
    await received;
    throw error;
  }
  const failed = await received;
  if (failed !== undefined) throw failed;
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) lines++;
  return lines;
}

export interface UdpCounts {
  readonly sent: number;
  readonly answered: number;
  /** Datagrams without an answer in time. */
  readonly lost: number;
}

/**
 * Sends each line as a datagram, without its line feed, and writes the answer as a line.
 *
 * A late answer to a lost line does not count as the answer to the next one, unless the lines are
 * equal.
 *
 * @param timeout how long to wait for each answer, in ms
 * @throws {BargeError} `usage` for a line longer than a datagram
 */
export async function talkUdp(
  server: Address,
  source: Source,
  sink: Sink,
  { timeout, signal, onTime }: {
    readonly timeout: number;
    readonly signal?: AbortSignal;
    readonly onTime?: OnTime;
  },
): Promise<UdpCounts> {
  const to = { transport: "udp" as const, hostname: server.host, port: server.port };
  const counts = { sent: 0, answered: 0, lost: 0 };
  const hostname = server.host.includes(":") ? "::" : "0.0.0.0";
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  using _ = { [Symbol.dispose]: () => socket.close() };
  let lost: Uint8Array[] = [];
  const inbox = new Inbox(socket);
  for await (const line of untilAborted(lines(source), signal)) {
    if (line.length > maxDatagramBytes) {
      const why = `a line has more than the ${maxDatagramBytes} bytes of a datagram`;
      throw new BargeError("usage", why);
    }
    await socket.send(line, to).catch((cause) => {
      throw typed(cause, { op: "send to", path: formatAddress(server) });
    });
    counts.sent++;
    const began = performance.now();
    let answer;
    do answer = await inbox.next(began + timeout - performance.now()); while (
      answer && !echoes(answer, line) && lost.some((old) => echoes(answer!, old))
    );
    if (!answer) {
      counts.lost++;
      lost = [...lost.slice(-15), line.slice()];
      continue;
    }
    counts.answered++;
    onTime?.(counts.sent, performance.now() - began);
    await writeAll(sink, asLine(answer));
  }
  return counts;
}

/** Receives datagrams; one that arrives after a timeout is returned by the next call. */
class Inbox {
  readonly #socket: Deno.DatagramConn;
  #pending: Promise<Uint8Array | undefined> | undefined;

  constructor(socket: Deno.DatagramConn) {
    this.#socket = socket;
  }

  /** @returns undefined when no datagram arrived within `ms` */
  async next(ms: number): Promise<Uint8Array | undefined> {
    this.#pending ??= this.#socket.receive(new Uint8Array(maxDatagramBytes + 1))
      .then(([bytes]) => bytes, () => undefined);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((r) => timer = setTimeout(() => r("late"), Math.max(0, ms)));
    const first = await Promise.race([this.#pending, late]);
    clearTimeout(timer);
    if (first === "late") return undefined;
    this.#pending = undefined;
    return first;
  }
}

/** Returns whether an answer is the line, as it was sent or in upper case. */
function echoes(answer: Uint8Array, line: Uint8Array): boolean {
  if (answer.length !== line.length) return false;
  const raised = line.slice();
  upper(raised);
  return answer.every((byte, i) => byte === line[i]) ||
    answer.every((byte, i) => byte === raised[i]);
}

/** Yields the values of an iterator. @throws the reason of an aborted signal */
async function* untilAborted<T>(source: AsyncIterator<T>, signal?: AbortSignal): AsyncGenerator<T> {
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(signal?.reason);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
  stopped.catch(() => {/* the race below reports it */});
  while (true) {
    const next = await Promise.race([source.next(), stopped]);
    if (next.done) return;
    yield next.value;
  }
}

/** Yields the lines of a source without line feeds, and the bytes after the last line feed. */
async function* lines(source: Source): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array();
  for await (const chunk of source) {
    let bytes = new Uint8Array([...rest, ...chunk]);
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline)) {
      yield bytes.subarray(0, at);
      bytes = bytes.subarray(at + 1);
    }
    rest = bytes;
    if (rest.length > maxDatagramBytes) break;
  }
  if (rest.length > 0) yield rest;
}

function asLine(bytes: Uint8Array): Uint8Array {
  const line = new Uint8Array(bytes.length + 1);
  line.set(bytes);
  line[bytes.length] = newline;
  return line;
}

async function writeAll(sink: Sink, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await sink.write(bytes.subarray(done));
}
