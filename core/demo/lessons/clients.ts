/** `clients`: hundreds of clients at once, which send several requests to an echo server of one isolate. */
import { BargeError } from "../../error.ts";
import type { Lesson } from "../lesson.ts";
import type { Runner, Trace } from "../runner/runner.ts";
import { bilingual, type Text } from "../text.ts";
import { Connections, hangUp, receive, send } from "./parts/sockets.ts";

/** The most lanes of the picture, each for a group of clients. */
const maxGroups = 10;
const requestsPerClient = 5;

export default {
  idea: {
    en: `Five hundred threads would take gigabytes here; five hundred sockets in one event loop
take little. While one client is idle, the server serves others: for each it keeps a few
hundred bytes of state, not a stack. Each client here sends a request, waits for the answer and
sends the next, ${requestsPerClient} times; so all of them stay connected, and none has to wait
for another. That is why servers for thousands of clients, most of which wait, are event loops,
with a few threads for computations.`,
    zh: `在这里开五百个线程要几个 GB 的内存；一个事件循环里的五百个套接字几乎不花什么。一个客户端
在想的时候，服务器就服务别的：它为每个客户端只保留几百字节的状态，而不是一个栈。这里的每个
客户端问一句、等回答、再问下一句，一共 ${requestsPerClient} 次；所以它们一直都连着，谁也不用给谁让位。有成千
上万客户端、而其中大多数都在等的服务器，都做成事件循环，旁边再放几个线程做计算。`,
  },
  code:
    `for await (const conn of listener) void serve(conn);        // [[the server: no thread per client || 服务器：不给每个客户端开线程]]

const clients = Array.from({ length: 500 }, () => connect(address));
await Promise.all(clients.map(async (client) => {
  for (let i = 0; i < 5; i++) {                              // [[each sends several requests || 每个都接着问]]
    await client.send("hello " + i);
    await client.receive();
  }
}));`,
  threads: { default: 500, min: 1, max: 1000 },
  async run(runner, { threads, port }) {
    const began = performance.now();
    const title = bilingual`${threads} clients at once with ${requestsPerClient} requests each ||
      ${threads} 个客户端同时来，各问 ${requestsPerClient} 次`;
    const { open, echoed } = await runner.runRealTime(
      title,
      (trace) => runClients(runner, trace, threads, port),
    );
    const wanted = threads * requestsPerClient;
    return {
      ok: open === threads && echoed === wanted,
      summary: bilingual`${open} were connected at once; ${echoed} of ${wanted} requests were
        answered ||
        同时连着 ${open} 个；${wanted} 次提问答了 ${echoed} 次`,
      measured: [
        { name: bilingual`all of it, ms || 总共，毫秒`, value: performance.now() - began },
      ],
    };
  },
} satisfies Lesson;

async function runClients(runner: Runner, trace: Trace, count: number, port: number) {
  using connections = new Connections(port, runner.signal);
  const serving: Promise<void>[] = [];
  const show = showPhases(trace, count);
  try {
    show("starts");
    const clients: Deno.TcpConn[] = [];
    for (let i = 0; i < count; i++) {
      const { client, server } = await connections.connect();
      clients.push(client);
      // After a failure the client gets no answer, and the count of answers shows that.
      serving.push(echo(server).catch(() => hangUp(server)));
    }
    const open = serving.length;
    show("runs", bilingual`are connected || 已连上`);
    const answers = Array.from({ length: requestsPerClient }, () => 0);
    // Each client sends its next request after its last answer, independently of the others.
    await Promise.all(clients.map(async (client, i) => {
      for (let k = 0; k < requestsPerClient; k++) {
        const line = `hello ${i} ${k}`;
        await send(client, line);
        if (await receive(client) === line) answers[k]!++;
      }
    }));
    for (const [k, total] of answers.entries()) {
      show("waits");
      show("runs", {
        en: `have answer ${k + 1}: ${total} in all`,
        zh: `得到第 ${k + 1} 个回答：一共 ${total} 个`,
      });
    }
    for (const client of clients) await client.closeWrite();
    await Promise.all(serving);
    show("ends");
    return { open, echoed: answers.reduce((sum, n) => sum + n, 0) };
  } catch (cause) {
    runner.signal.throwIfAborted();
    if (!/EMFILE|too many open files/i.test(String(cause))) throw cause;
    throw new BargeError("unavailable", "the system allows no more open files", {
      op: "demo",
      path: "clients",
      cause,
      hint: "use fewer clients (--threads), or raise `ulimit -n`",
    });
  }
}

/** Returns a function that shows an event for all groups of clients, a moment after the last one. */
function showPhases(trace: Trace, count: number) {
  const size = Math.ceil(count / maxGroups);
  const lanes = Array.from({ length: Math.ceil(count / size) }, (_, i) => {
    const last = Math.min(count, (i + 1) * size);
    return `${i * size + 1}-${last}`;
  });
  let phase = 0;
  return (what: "starts" | "runs" | "waits" | "ends", text?: Text) => {
    const of = what === "waits" ? bilingual`the echo || 回显` : undefined;
    const t = phase++ / 10;
    for (const lane of lanes) trace.event({ t, lane, what, of, text });
  };
}

/** Answers the lines of one client. */
async function echo(conn: Deno.TcpConn): Promise<void> {
  for (let line; (line = await receive(conn)) !== undefined;) await send(conn, line);
}
