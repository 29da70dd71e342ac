/**
 * `clients`: hundreds of clients at once that send request after request to an echo server of one
 * isolate.
 */
import { BargeError } from "../../error.ts";
import { lesson } from "../lesson.ts";
import { connect, hangUp, listen, receive, send } from "./parts/sockets.ts";
import type { Runner, Trace } from "../runner/runner.ts";
import { bilingual, type Text } from "../text.ts";

/** Clients are shown in groups of so many at least. */
const groups = 10;
/** The number of requests of each client. */
const asks = 5;

export default lesson({
  idea: {
    en: `Five hundred threads would take gigabytes here; five hundred sockets in one event loop take
next to nothing. While one client thinks, the server serves others: what it has for each is
a few hundred bytes of state, and not a stack. Each client here asks, waits for its answer and
asks again, ${asks} times; so all of them are open all the time, and no two have to take turns.
So servers that have thousands of clients, most of whom wait, are event loops, with a few
threads beside them for what computes.`,
    zh: `在这里开五百个线程要几个 GB 的内存；一个事件循环里的五百个套接字几乎不花什么。一个客户端
在想的时候，服务器就服务别的：它为每个客户端只保留几百字节的状态，而不是一个栈。这里的每个
客户端问一句、等回答、再问下一句，一共 ${asks} 次；所以它们一直都连着，谁也不用给谁让位。有成千
上万客户端、而其中大多数都在等的服务器，都做成事件循环，旁边再放几个线程做计算。`,
  },
  code: bilingual`for await (const conn of listener) void serve(conn);        // ${{
    en: "the server: no thread a client",
    zh: "服务器：不给每个客户端开线程",
  }}

const clients = Array.from({ length: 500 }, () => connect(address));
await Promise.all(clients.map(async (client) => {
  for (let i = 0; i < 5; i++) {                              // ${{
    en: "each goes on asking",
    zh: "每个都接着问",
  }}
    await client.send("hello " + i);
    await client.receive();
  }
}));`,
  threads: { default: 500, min: 1, max: 1000 },
  async run(runner, { threads, port }) {
    const began = performance.now();
    const title = {
      en: `${threads} clients at once, each asks ${asks} times`,
      zh: `${threads} 个客户端同时来，各问 ${asks} 次`,
    };
    const { open, echoed } = await runner.runRealTime(
      title,
      (trace) => together(runner, trace, threads, port),
    );
    const wanted = threads * asks;
    return {
      ok: open === threads && echoed === wanted,
      summary: {
        en: `${open} were connected at once; ${echoed} of ${wanted} questions were answered`,
        zh: `同时连着 ${open} 个；${wanted} 次提问答了 ${echoed} 次`,
      },
      measured: [
        { name: { en: "all of it, ms", zh: "总共，毫秒" }, value: performance.now() - began },
      ],
    };
  },
});

async function together(runner: Runner, trace: Trace, n: number, port: number) {
  using listener = listen(port);
  const ends: Deno.TcpConn[] = [];
  const serving: Promise<void>[] = [];
  const show = phases(trace, n);
  const stop = () => ends.forEach(hangUp);
  runner.signal.addEventListener("abort", stop);
  try {
    show("starts");
    const clients: Deno.TcpConn[] = [];
    for (let i = 0; i < n; i++) {
      runner.signal.throwIfAborted();
      const near = await connect(listener);
      const far = await listener.accept();
      clients.push(near);
      ends.push(near, far);
      // Whom the server fails gets no answer, and that is counted.
      serving.push(echo(far).catch(() => hangUp(far)));
    }
    const open = serving.length;
    show("runs", { en: "are connected", zh: "已连上" });
    const answered = Array.from({ length: asks }, () => 0);
    // Each client sends its next request once the last one is answered, independent of the others.
    await Promise.all(clients.map(async (client, i) => {
      for (let k = 0; k < asks; k++) {
        const line = `hello ${i} ${k}`;
        await send(client, line);
        if (await receive(client) === line) answered[k]!++;
      }
    }));
    for (const [k, of] of answered.entries()) {
      show("waits");
      show("runs", {
        en: `have answer ${k + 1}: ${of} in all`,
        zh: `得到第 ${k + 1} 个回答：一共 ${of} 个`,
      });
    }
    for (const client of clients) await client.closeWrite();
    await Promise.all(serving);
    show("ends");
    return { open, echoed: answered.reduce((sum, n) => sum + n, 0) };
  } catch (cause) {
    runner.signal.throwIfAborted();
    if (!/EMFILE|too many open files/i.test(String(cause))) throw cause;
    throw new BargeError("unavailable", "the system allows no more open files", {
      ...{ op: "demo", path: "clients", cause },
      hint: "take fewer with --threads, or raise `ulimit -n`",
    });
  } finally {
    runner.signal.removeEventListener("abort", stop);
    stop();
  }
}

/** Shows the same event for all groups of clients, a moment after the last one. */
function phases(trace: Trace, n: number) {
  const size = Math.ceil(n / groups);
  const lanes = Array.from({ length: Math.ceil(n / size) }, (_, i) => {
    const last = Math.min(n, (i + 1) * size);
    return `${i * size + 1}-${last}`;
  });
  let phase = 0;
  return (what: "starts" | "runs" | "waits" | "ends", text?: Text) => {
    const of = what === "waits" ? { en: "the echo", zh: "回显" } : undefined;
    const t = phase++ / 10;
    for (const lane of lanes) trace.event({ t, lane, what, of, text });
  };
}

/** The server's side of one client. */
async function echo(conn: Deno.TcpConn): Promise<void> {
  for (let line; (line = await receive(conn)) !== undefined;) await send(conn, line);
}
