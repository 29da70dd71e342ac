/**
 * `stream`: TCP is a stream of bytes, which joins and splits messages; a length before each message
 * separates them again. A UDP datagram stays whole, even an empty datagram arrives, and sending to an
 * unused port reports no error.
 */
import { BargeError } from "../../error.ts";
import type { Lesson } from "../lesson.ts";
import type { Runner, Trace } from "../runner/runner.ts";
import { bilingual, formatValue, joinNames, type Text } from "../text.ts";
import { Connections, DatagramSocket, hangUp, listen } from "./parts/sockets.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const messages = ["ab", "cde", "fghi"];
const smallReadBytes = 4;
/** The most attempts to receive all messages in one read. */
const maxAttempts = 50;

const sender = bilingual`sender || 发送者`;
const receiver = bilingual`receiver || 接收者`;

/**
 * Encodes a message: four bytes of length (big-endian), and its bytes.
 *
 * @example
 * ```ts
 * import { encodeMessage } from "./stream.ts";
 * if (encodeMessage("ab").join() !== "0,0,0,2,97,98") throw new Error();
 * ```
 */
export function encodeMessage(message: string): Uint8Array {
  const bytes = encoder.encode(message);
  const frame = new Uint8Array(4 + bytes.length);
  new DataView(frame.buffer).setUint32(0, bytes.length);
  frame.set(bytes, 4);
  return frame;
}

/** Decodes messages from the pieces of a stream, whatever their sizes. */
export class MessageDecoder {
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

export default {
  idea: {
    en: `TCP carries a stream of bytes, and knows nothing of messages. One read may return what
three writes sent, and one write may need three reads: sends and receives do not come in pairs.
Each protocol over TCP must define where a message ends: by a length before it (as in barge's
own protocol: four bytes, big-endian, see PROTOCOL.md), by a mark after it, such as a newline,
or by closing the connection. With a length even an empty message can be sent. TCP alone cannot
send one: without bytes there is no packet.
UDP carries datagrams: each arrives whole or not at all, and an empty one arrives empty. UDP
has no connections, so sending a datagram to a port where no program listens does not fail; a
TCP client is refused there.`,
    zh: `TCP 传送的是字节流，不知道什么是消息。分三次发的，可能一次就读完（粘包）；一次发的，也可能
分三次才读完：发送和接收不是一一对应的。所以 TCP 上的每种协议都得说明消息到哪里为止：在前面写上
长度（barge 自己的协议就是这样：四个字节，高位在前，见 PROTOCOL.md）；在后面加标记，比如换行；
或者关闭连接。有了长度，连空消息也能发，单靠 TCP 是做不到的：没有字节，就没有包。
UDP 传送的是数据报：一次发的就一次收到，要么就收不到，空的数据报收到的也是空的。它没有连接，所以
往没有人监听的端口发数据报，和平时一样，不会报错；TCP 客户端在那里则会被拒绝。`,
  },
  code: `conn.write("ab"); conn.write("cde");         // [[two writes || 写两次]]
conn.read(buffer);                           // [[one read: "abcde" || 读一次："abcde"]]

conn.write(uint32(message.length)); conn.write(message);     // [[a length before it || 前面写上长度]]
const length = uint32(readExactly(4));       // [[the receiver reads that many bytes || 接收者就读这么多]]
const message = readExactly(length);

socket.send("", address);                    // [[UDP: arrives, and is empty || UDP：会到达，是空的]]`,
  async run(runner, { port }) {
    const { joined, reads, separated } = await overTcp(runner, port);
    const datagrams = await runner.runRealTime({
      en: "UDP: datagrams stay whole, even an empty one",
      zh: "UDP：数据报保持完整，空的也一样",
    }, (trace) => overUdp(runner, trace));
    const { sent, refused } = await runner.runRealTime({
      en: "to a port where no program listens",
      zh: "发往没有人监听的端口",
    }, (trace) => toUnusedPort(runner, trace));
    const whole = separated.join("|") === ["", ...messages].join("|") &&
      datagrams.join("|") === [...messages, ""].join("|");
    return {
      ok: joined === messages.join("") && reads > 1 && whole && sent && refused,
      summary: bilingual`TCP: one read returned ${messages.length} messages, and one message took
        ${reads} reads; with a length before each, all ${separated.length} arrived intact, even
        an empty one; UDP: ${datagrams.length} datagrams arrived whole, one of them empty; to an
        unused port a datagram ${sent ? "was sent without an error" : "FAILED"}, and a connection
        ${refused ? "was refused" : "SUCCEEDED"} ||
        TCP：${messages.length} 条消息一次读到，一条消息分 ${reads} 次读到；前面写上长度，
        ${separated.length} 条都原样分开，空的也在；UDP：${datagrams.length} 个数据报都完整到达，
        其中一个是空的；对方不存在时，数据报${sent ? "照样发出，没有报错" : "发送失败"}，
        连接${refused ? "被拒绝" : "居然连上了"}`,
    };
  },
} satisfies Lesson;

async function overTcp(runner: Runner, port: number) {
  using connections = new Connections(port, runner.signal);
  const { client, server } = await connections.connect();
  client.setNoDelay(true);
  const joined = await runner.runRealTime({
    en: "TCP joins messages: three writes, one read",
    zh: "TCP 粘包：写三次，读一次",
  }, (trace) => readJoined(trace, client, server));
  const reads = await runner.runRealTime({
    en: `TCP splits messages: one write, reads of ${smallReadBytes} bytes at most`,
    zh: `TCP 拆包：写一次，每次最多读 ${smallReadBytes} 字节`,
  }, (trace) => readSplit(trace, client, server));
  const separated = await runner.runRealTime({
    en: "solution: four bytes of length before each message",
    zh: "解法：每条消息前写四个字节的长度",
  }, (trace) => readSeparated(trace, client, server));
  return { joined, reads, separated };
}

/** Returns functions that show the events of the sender, and then those of the receiver. */
function showTalk(trace: Trace) {
  let t = 0;
  for (const lane of [sender, receiver]) trace.event({ t, lane, what: "starts" });
  const data = bilingual`data || 数据`;
  trace.event({ t, lane: receiver, what: "waits", of: data });
  let sending = true;
  return {
    run(lane: Text, text: Text): void {
      if (sending && lane === receiver) {
        sending = false;
        trace.event({ t, lane: sender, what: "ends" });
      }
      trace.event({ t, lane, what: "runs", text });
      t += 0.1;
      if (lane === receiver) trace.event({ t, lane, what: "waits", of: data });
    },
    end(): void {
      trace.event({ t, lane: receiver, what: "ends" });
    },
  };
}

function sends(message: string): Text {
  return bilingual`sends ${formatValue(message)} || 发送 ${formatValue(message)}`;
}

/** @returns the text that one read returns after several writes */
async function readJoined(trace: Trace, client: Deno.Conn, server: Deno.Conn): Promise<string> {
  const show = showTalk(trace);
  const all = messages.join("");
  let text = "";
  for (let i = 0; i < maxAttempts && text !== all; i++) {
    for (const message of messages) await write(client, encoder.encode(message));
    text = decoder.decode(await read(server, 1024));
    // If the system has split the messages, read the rest, and try again.
    for (let bytesRead = text.length; bytesRead < all.length;) {
      bytesRead += (await read(server, 1024)).length;
    }
  }
  for (const message of messages) show.run(sender, sends(message));
  show.run(receiver, bilingual`reads ${formatValue(text)} || 读到 ${formatValue(text)}`);
  show.end();
  return text;
}

/** @returns the number of reads for one write */
async function readSplit(trace: Trace, client: Deno.Conn, server: Deno.Conn): Promise<number> {
  const show = showTalk(trace);
  const message = "abcdefghij";
  await write(client, encoder.encode(message));
  show.run(sender, sends(message));
  let [reads, text] = [0, ""];
  while (text.length < message.length) {
    const piece = decoder.decode(await read(server, smallReadBytes));
    text += piece;
    reads++;
    show.run(receiver, bilingual`reads ${piece} || 读到 ${piece}`);
  }
  show.end();
  return text === message ? reads : 0;
}

/** @returns the messages decoded from a stream with lengths */
async function readSeparated(
  trace: Trace,
  client: Deno.Conn,
  server: Deno.Conn,
): Promise<string[]> {
  const show = showTalk(trace);
  const sent = ["", ...messages];
  const bytes = new Uint8Array(sent.flatMap((message) => [...encodeMessage(message)]));
  await write(client, bytes);
  for (const message of sent) {
    const length = encoder.encode(message).length;
    show.run(sender, {
      en: `sends the length ${length}, and ${formatValue(message).en}`,
      zh: `发送长度 ${length}，再发 ${formatValue(message).zh}`,
    });
  }
  const messageDecoder = new MessageDecoder();
  const received: string[] = [];
  for (let bytesRead = 0; bytesRead < bytes.length;) {
    const piece = await read(server, smallReadBytes);
    bytesRead += piece.length;
    const whole = messageDecoder.push(piece);
    received.push(...whole);
    const hex = Array.from(piece, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const { en, zh } = joinNames(whole.map(formatValue));
    show.run(receiver, {
      en: `reads ${hex}${en && `: decodes ${en}`}`,
      zh: `读到 ${hex}${zh && `：得到 ${zh}`}`,
    });
  }
  show.end();
  return received;
}

/** @returns the datagram of each receive */
async function overUdp(runner: Runner, trace: Trace): Promise<string[]> {
  const show = showTalk(trace);
  using from = new DatagramSocket(runner.signal);
  using to = new DatagramSocket(runner.signal);
  const sent = [...messages, ""];
  for (const message of sent) {
    await from.send(message, to.address);
    show.run(sender, sends(message));
  }
  const received: string[] = [];
  while (received.length < sent.length) {
    const { text } = await to.receive();
    received.push(text);
    show.run(receiver, {
      en: `receives ${formatValue(text).en}, ${text.length} bytes`,
      zh: `收到 ${formatValue(text).zh}，${text.length} 字节`,
    });
  }
  show.end();
  return received;
}

/** Sends a datagram, and opens a connection, to an unused port. */
async function toUnusedPort(runner: Runner, trace: Trace) {
  const client = bilingual`client || 客户端`;
  const show = (t: number, text: Text) => trace.event({ t, lane: client, what: "runs", text });
  trace.event({ t: 0, lane: client, what: "starts" });
  using from = new DatagramSocket(runner.signal);
  const to = unusedAddress(runner);
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

/** Returns an address that was in use a moment ago, and is free now. */
function unusedAddress(runner: Runner): Deno.Addr {
  const socket = new DatagramSocket(runner.signal);
  const { address } = socket;
  socket[Symbol.dispose]();
  return address;
}

async function isRefused(): Promise<boolean> {
  const listener = listen(0);
  const { port } = listener.addr;
  listener.close(); // the port is unused now
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

/** Reads once. @throws {BargeError} `unavailable` at the end of the stream */
async function read(conn: Deno.Conn, maxBytes: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(maxBytes);
  const n = await conn.read(buffer);
  if (n === null) {
    throw new BargeError("unavailable", "the connection ended", { op: "demo stream" });
  }
  return buffer.subarray(0, n);
}
