/**
 * `stream`: TCP is a stream of bytes, which glues messages together and splits them; a length
 * before each parts them again. A UDP datagram stays whole, an empty one arrives, and one to an
 * unused port does not fail.
 */
import { BargeError } from "../../error.ts";
import { lesson } from "../lesson.ts";
import { connect, DatagramSocket, hangUp, listen } from "./parts/sockets.ts";
import type { Runner, Trace } from "../runner/runner.ts";
import { bilingual, formatValue, type Text } from "../text.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const messages = ["ab", "cde", "fghi"];
/** The size of a small read, in bytes. */
const little = 4;
/** How often the reading of glued messages is tried: both must have arrived before the read. */
const attempts = 50;

const sender = { en: "sender", zh: "发送者" };
const receiver = { en: "receiver", zh: "接收者" };

/**
 * Encodes a message: its length in four bytes, the highest first, and its bytes.
 *
 * @example
 * ```ts
 * import { framed } from "./stream.ts";
 * if (framed("ab").join() !== "0,0,0,2,97,98") throw new Error();
 * ```
 */
export function framed(message: string): Uint8Array {
  const bytes = encoder.encode(message);
  const frame = new Uint8Array(4 + bytes.length);
  new DataView(frame.buffer).setUint32(0, bytes.length);
  frame.set(bytes, 4);
  return frame;
}

/** Extracts the messages from pieces of a stream, wherever it was cut. */
export class Unframer {
  #rest = new Uint8Array();

  /** @returns the messages that this piece completes */
  push(piece: Uint8Array): string[] {
    this.#rest = new Uint8Array([...this.#rest, ...piece]);
    const whole: string[] = [];
    while (this.#rest.length >= 4) {
      const length = new DataView(this.#rest.buffer, this.#rest.byteOffset).getUint32(0);
      if (this.#rest.length < 4 + length) break;
      whole.push(decoder.decode(this.#rest.subarray(4, 4 + length)));
      this.#rest = this.#rest.slice(4 + length);
    }
    return whole;
  }
}

export default lesson({
  idea: {
    en:
      `TCP carries a stream of bytes, and knows nothing of messages. What was sent in three pieces may
be read in one, and what was sent in one may be read in three: a send and a receive are not a
pair. Every protocol over TCP must say where a message ends: by a length before it (as barge's
own does: four bytes, the highest first, see PROTOCOL.md), by a mark behind it, such as a
newline, or by closing the connection. With a length even an empty message can be sent, which
TCP alone can't: no bytes, no packet.
UDP carries datagrams: what was sent at once is received at once, or not at all, and an empty
one arrives as an empty one. It has no connections, so a datagram to a port where nobody listens
is sent like any other, and nothing fails; a TCP client is refused there.`,
    zh: `TCP 传送的是字节流，不知道什么是消息。分三次发的，可能一次就读完（粘包）；一次发的，也可能
分三次才读完：发送和接收不是一一对应的。所以 TCP 上的每种协议都得说明消息到哪里为止：在前面写上
长度（barge 自己的协议就是这样：四个字节，高位在前，见 PROTOCOL.md）；在后面加标记，比如换行；
或者关闭连接。有了长度，连空消息也能发，单靠 TCP 是做不到的：没有字节，就没有包。
UDP 传送的是数据报：一次发的就一次收到，要么就收不到，空的数据报收到的也是空的。它没有连接，所以
往没有人监听的端口发数据报，和平时一样，不会报错；TCP 客户端在那里则会被拒绝。`,
  },
  code: bilingual`conn.write("ab"); conn.write("cde");         // ${{
    en: "two writes",
    zh: "写两次",
  }}
conn.read(buffer);                           // ${{
    en: 'one read: "abcde"',
    zh: '读一次："abcde"',
  }}

conn.write(uint32(message.length)); conn.write(message);     // ${{
    en: "a length before it",
    zh: "前面写上长度",
  }}
const length = uint32(readExactly(4));       // ${{
    en: "and the receiver reads that many",
    zh: "接收者就读这么多",
  }}
const message = readExactly(length);

socket.send("", address);                    // ${{
    en: "UDP: arrives, and is empty",
    zh: "UDP：会到达，是空的",
  }}`,
  async run(runner, { port }) {
    const { glued, split, parted } = await overTcp(runner, port);
    const datagrams = await runner.runRealTime({
      en: "UDP: datagrams stay whole, an empty one, too",
      zh: "UDP：数据报保持完整，空的也一样",
    }, (trace) => overUdp(runner, trace));
    const { sent, refused } = await runner.runRealTime({
      en: "to a port where nobody listens",
      zh: "发往没有人监听的端口",
    }, (trace) => toNobody(runner, trace));
    const whole = parted.join("|") === ["", ...messages].join("|") &&
      datagrams.join("|") === [...messages, ""].join("|");
    return {
      ok: glued === messages.join("") && split > 1 && whole && sent && refused,
      summary: {
        en:
          `TCP: ${messages.length} messages came in one read, one message in ${split} reads; with ` +
          `a length before each all ${parted.length} came out as they were, an empty one, too; UDP: ` +
          `${datagrams.length} datagrams, one of them empty, came whole; to nobody a datagram ` +
          `${sent ? "was sent without an error" : "FAILED"}, a connection ` +
          `${refused ? "was refused" : "WAS MADE"}`,
        zh: `TCP：${messages.length} 条消息一次读到，一条消息分 ${split} 次读到；前面写上长度，` +
          `${parted.length} 条都原样分开，空的也在；UDP：${datagrams.length} 个数据报都完整到达，其中` +
          `一个是空的；对方不存在时，数据报${sent ? "照样发出，没有报错" : "发送失败"}，连接` +
          `${refused ? "被拒绝" : "居然连上了"}`,
      },
    };
  },
});

async function overTcp(runner: Runner, port: number) {
  using listener = listen(port);
  const near = await connect(listener);
  const far = await listener.accept();
  near.setNoDelay(true);
  const stop = () => [near, far].forEach(hangUp);
  runner.signal.addEventListener("abort", stop);
  try {
    const glued = await runner.runRealTime({
      en: "TCP glues: three writes, one read",
      zh: "TCP 粘包：写三次，读一次",
    }, (trace) => gluing(trace, near, far));
    const split = await runner.runRealTime({
      en: `TCP splits: one write, reads of ${little} bytes at most`,
      zh: `TCP 拆包：写一次，每次最多读 ${little} 字节`,
    }, (trace) => splitting(trace, near, far));
    const parted = await runner.runRealTime({
      en: "cure: four bytes of length before each message",
      zh: "解法：每条消息前写四个字节的长度",
    }, (trace) => parting(trace, near, far));
    return { glued, split, parted };
  } finally {
    runner.signal.removeEventListener("abort", stop);
    stop();
  }
}

/** Shows the events of the sender, and then those of the receiver. */
function talk(trace: Trace) {
  let t = 0;
  for (const lane of [sender, receiver]) trace.event({ t, lane, what: "starts" });
  const data = { en: "data", zh: "数据" };
  trace.event({ t, lane: receiver, what: "waits", of: data });
  let sending = true;
  return {
    does(lane: Text, text: Text): void {
      if (sending && lane === receiver) {
        sending = false;
        trace.event({ t, lane: sender, what: "ends" });
      }
      trace.event({ t, lane, what: "runs", text });
      t += 0.1;
      if (lane === receiver) trace.event({ t, lane, what: "waits", of: data });
    },
    ends(): void {
      trace.event({ t, lane: receiver, what: "ends" });
    },
  };
}

/** @returns the bytes of one read after several writes */
async function gluing(trace: Trace, near: Deno.Conn, far: Deno.Conn): Promise<string> {
  const show = talk(trace);
  const all = messages.join("");
  let text = "";
  for (let i = 0; i < attempts && text !== all; i++) {
    for (const message of messages) await write(near, encoder.encode(message));
    text = decoder.decode(await read(far, 1024));
    // The system may have split it after all. Reads the rest, and tries again.
    for (let had = text.length; had < all.length;) had += (await read(far, 1024)).length;
  }
  for (const message of messages) {
    show.does(sender, { en: `sends ${message}`, zh: `发送 ${message}` });
  }
  show.does(receiver, { en: `reads ${formatValue(text).en}`, zh: `读到 ${formatValue(text).zh}` });
  show.ends();
  return text;
}

/** @returns the number of reads for one write */
async function splitting(trace: Trace, near: Deno.Conn, far: Deno.Conn): Promise<number> {
  const show = talk(trace);
  const message = "abcdefghij";
  await write(near, encoder.encode(message));
  show.does(sender, { en: `sends ${message}`, zh: `发送 ${message}` });
  let [reads, text] = [0, ""];
  while (text.length < message.length) {
    const piece = decoder.decode(await read(far, little));
    text += piece;
    reads++;
    show.does(receiver, { en: `reads ${piece}`, zh: `读到 ${piece}` });
  }
  show.ends();
  return text === message ? reads : 0;
}

/** @returns the messages from a stream with lengths */
async function parting(trace: Trace, near: Deno.Conn, far: Deno.Conn): Promise<string[]> {
  const show = talk(trace);
  const sent = ["", ...messages];
  const bytes = new Uint8Array(sent.flatMap((message) => [...framed(message)]));
  await write(near, bytes);
  for (const message of sent) {
    const length = encoder.encode(message).length;
    show.does(sender, {
      en: `sends the length ${length}, and ${formatValue(message).en}`,
      zh: `发送长度 ${length}，再发 ${formatValue(message).zh}`,
    });
  }
  const unframer = new Unframer();
  const got: string[] = [];
  for (let had = 0; had < bytes.length;) {
    const piece = await read(far, little);
    had += piece.length;
    const whole = unframer.push(piece);
    got.push(...whole);
    const hex = Array.from(piece, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const messages = whole.map((message) => formatValue(message));
    const [en, zh] = [messages.map(({ en }) => en), messages.map(({ zh }) => zh)];
    show.does(receiver, {
      en: `reads ${hex}${en.length > 0 ? `: has ${en.join(", ")}` : ""}`,
      zh: `读到 ${hex}${zh.length > 0 ? `：得到 ${zh.join("、")}` : ""}`,
    });
  }
  show.ends();
  return got;
}

/** @returns the datagram of each receive */
async function overUdp(runner: Runner, trace: Trace): Promise<string[]> {
  const show = talk(trace);
  using from = new DatagramSocket(runner.signal);
  using to = new DatagramSocket(runner.signal);
  const sent = [...messages, ""];
  for (const message of sent) {
    await from.send(message, to.address);
    show.does(sender, {
      en: `sends ${formatValue(message).en}`,
      zh: `发送 ${formatValue(message).zh}`,
    });
  }
  const got: string[] = [];
  while (got.length < sent.length) {
    const { text } = await to.receive();
    got.push(text);
    show.does(receiver, {
      en: `receives ${formatValue(text).en}, ${text.length} bytes`,
      zh: `收到 ${formatValue(text).zh}，${text.length} 字节`,
    });
  }
  show.ends();
  return got;
}

/** Sends a datagram, and opens a connection, to an unused port. */
async function toNobody(runner: Runner, trace: Trace) {
  const client = { en: "client", zh: "客户端" };
  const show = (t: number, text: Text) => trace.event({ t, lane: client, what: "runs", text });
  trace.event({ t: 0, lane: client, what: "starts" });
  using from = new DatagramSocket(runner.signal);
  const to = nobody(runner);
  const sent = await from.send("ab", to).then(() => true, () => false);
  show(0, {
    en: `UDP: sends ab: ${sent ? "no error" : "AN ERROR"}`,
    zh: `UDP：发送 ab：${sent ? "没有报错" : "报错"}`,
  });
  const refused = await isRefused();
  show(0.1, {
    en: `TCP: connects: ${refused ? "refused" : "NOT refused"}`,
    zh: `TCP：连接：${refused ? "被拒绝" : "没有被拒绝"}`,
  });
  trace.event({ t: 0.2, lane: client, what: "ends" });
  return { sent, refused };
}

/** An address that was free a moment ago. */
function nobody(runner: Runner): Deno.Addr {
  const socket = new DatagramSocket(runner.signal);
  const { address } = socket;
  socket[Symbol.dispose]();
  return address;
}

async function isRefused(): Promise<boolean> {
  const listener = listen(0);
  const { port } = listener.addr;
  listener.close(); // from here on the port is unused
  try {
    hangUp(await Deno.connect({ hostname: "127.0.0.1", port }));
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return true;
    throw error;
  }
}

async function write(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** One read. @throws {BargeError} `unavailable` at the end of the stream */
async function read(conn: Deno.Conn, most: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(most);
  const n = await conn.read(buffer);
  if (n === null) {
    throw new BargeError("unavailable", "the connection ended", { op: "demo stream" });
  }
  return buffer.subarray(0, n);
}
