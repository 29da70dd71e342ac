/**
 * The other end of an echo server: what comes from a source goes to it, what it answers goes to a
 * sink. Over TCP both directions run side by side, so that neither a pipe of gigabytes nor a server
 * that answers late stops the other; over UDP one line is one datagram, and one waits at a time.
 */
import { BargeError, typed } from "../error.ts";
import { type Address, formatAddress } from "../net/address.ts";
import type { Stream } from "../net/stream.ts";
import { most } from "./udp.ts";
import { upper } from "./upper.ts";

const newline = 10;
/** How many lines may be timed that are not answered yet; more are sent when some are. */
const mostTimed = 1024;

export type Sink = { write(bytes: Uint8Array): Promise<number> };
export type Source = AsyncIterable<Uint8Array>;

/** The time that an answer took, counted from 1. */
export type OnTime = (answer: number, ms: number) => void;

/**
 * Sends the source, ends that side, and writes what comes until the server ends its own.
 *
 * @param stream without a patience of its own: who types may take their time
 * @param patience ms that the server may be silent after all was sent, and a write may take
 * @param onTime is told of each line when its answer is there; undefined: nothing is timed
 * @throws {BargeError} `unavailable` when the connection breaks or the patience ends
 */
export async function talkTcp(
  stream: Stream,
  source: Source,
  sink: Sink,
  { patience, onTime }: { readonly patience: number; readonly onTime?: OnTime },
): Promise<void> {
  const sentAt: number[] = [];
  let [answered, allSent, over] = [0, false, false];
  let wake = () => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = () => {
    clearTimeout(timer);
    if (!allSent || over) return;
    const why = `${stream.peer} sent nothing for ${patience / 1000} s`;
    timer = setTimeout(() => stream.close(new BargeError("unavailable", why)), patience);
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
      await stream.write(next.value, patience);
      while (!over && sentAt.length > mostTimed) await new Promise<void>((r) => wake = r);
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

/** How a talk over UDP went, in datagrams. */
export interface Talk {
  readonly sent: number;
  readonly answered: number;
  /** Not answered in time. */
  readonly lost: number;
}

/**
 * Sends each line as a datagram, without its line feed, and writes the answer as a line.
 *
 * An answer that comes when its line was given up already is not taken for that of the next one, as
 * far as an echo can be told from another: by what is in it.
 *
 * @param timeout ms to wait for each answer
 * @throws {BargeError} `usage` for a line that no datagram can carry
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
): Promise<Talk> {
  const to = { transport: "udp" as const, hostname: server.host, port: server.port };
  const talk = { sent: 0, answered: 0, lost: 0 };
  const hostname = server.host.includes(":") ? "::" : "0.0.0.0";
  using socket = datagrams(hostname);
  let lost: Uint8Array[] = [];
  const inbox = new Inbox(socket);
  for await (const line of until(lines(source), signal)) {
    if (line.length > most) {
      throw new BargeError("usage", `a line has more than the ${most} bytes of a datagram`);
    }
    await send(socket, line, to);
    talk.sent++;
    const began = performance.now();
    let answer;
    do answer = await inbox.next(began + timeout - performance.now()); while (
      answer && !echoes(answer, line) && lost.some((old) => echoes(answer!, old))
    );
    if (!answer) {
      talk.lost++;
      lost = [...lost.slice(-15), line.slice()];
      continue;
    }
    talk.answered++;
    onTime?.(talk.sent, performance.now() - began);
    await writeAll(sink, withNewline(answer));
  }
  return talk;
}

function datagrams(hostname: string): Deno.DatagramConn & Disposable {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  return Object.assign(socket, { [Symbol.dispose]: () => socket.close() });
}

async function send(socket: Deno.DatagramConn, bytes: Uint8Array, to: Deno.NetAddr) {
  try {
    await socket.send(bytes, to);
  } catch (cause) {
    const path = formatAddress({ host: to.hostname, port: to.port });
    throw typed(cause, { op: "send to", path });
  }
}

/** Datagrams as they come; one may be waited for in vain, and is then there for the next wait. */
class Inbox {
  readonly #socket: Deno.DatagramConn;
  #pending: Promise<Uint8Array | undefined> | undefined;

  constructor(socket: Deno.DatagramConn) {
    this.#socket = socket;
  }

  /** @returns undefined when none came within so many ms */
  async next(ms: number): Promise<Uint8Array | undefined> {
    this.#pending ??= this.#socket.receive(new Uint8Array(most + 1))
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

/** Is this an echo of that, as it was or in upper case? */
function echoes(answer: Uint8Array, line: Uint8Array): boolean {
  if (answer.length !== line.length) return false;
  const raised = line.slice();
  upper(raised);
  return answer.every((byte, i) => byte === line[i]) ||
    answer.every((byte, i) => byte === raised[i]);
}

/** What an iterator gives, until the signal: then its reason is thrown. */
async function* until<T>(source: AsyncIterator<T>, signal?: AbortSignal): AsyncGenerator<T> {
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(signal?.reason);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
  stopped.catch(() => {/* told to whoever waits */});
  while (true) {
    const next = await Promise.race([source.next(), stopped]);
    if (next.done) return;
    yield next.value;
  }
}

/** The lines of a source without their ends; what is behind the last line feed is one, too. */
async function* lines(source: Source): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array();
  for await (const chunk of source) {
    let bytes = new Uint8Array([...rest, ...chunk]);
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline)) {
      yield bytes.subarray(0, at);
      bytes = bytes.subarray(at + 1);
    }
    rest = bytes;
    if (rest.length > most) break;
  }
  if (rest.length > 0) yield rest;
}

function withNewline(bytes: Uint8Array): Uint8Array {
  const line = new Uint8Array(bytes.length + 1);
  line.set(bytes);
  line[bytes.length] = newline;
  return line;
}

async function writeAll(sink: Sink, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await sink.write(bytes.subarray(done));
}
