/** `clients`: hundreds of clients at once, against an echo server that is one isolate. */
import { BargeError } from "../error.ts";
import { lesson } from "./lesson.ts";
import { connect, hangUp, listen, receive, send } from "./server.ts";
import type { Scene, Stage } from "./stage.ts";

/** Clients are shown in groups of so many at least. */
const groups = 10;

export default lesson({
  idea: {
    en: `Five hundred threads would take gigabytes here; five hundred sockets in one event loop take
next to nothing. While one client thinks, the server serves others: what it has for each is
a few hundred bytes of state, and not a stack. So servers that have thousands of clients, most
of whom wait, are event loops, with a few threads beside them for what computes.`,
    zh: `在这里开五百个线程要几个 GB 的内存；一个事件循环里的五百个套接字几乎不花什么。一个客户端
在想的时候，服务器就服务别的：它为每个客户端只保留几百字节的状态，而不是一个栈。所以有成千上万
客户端、而其中大多数都在等的服务器，都做成事件循环，旁边再放几个线程做计算。`,
  },
  code:
    `for await (const conn of listener) void serve(conn);        // the server: no thread a client

const clients = Array.from({ length: 500 }, () => connect(address));
await Promise.all(clients.map(async (client) => {
  await client.send("hello");
  return await client.receive();
}));`,
  threads: { usual: 500, least: 1, most: 1000 },
  async play(stage, { threads, port }) {
    const began = performance.now();
    const title = { en: `${threads} clients at once`, zh: `${threads} 个客户端同时来` };
    const { open, echoed } = await stage.live(
      title,
      (scene) => together(stage, scene, threads, port),
    );
    return {
      ok: open === threads && echoed === threads,
      said: {
        en: `${open} were connected at once, and ${echoed} got back what they sent`,
        zh: `同时连着 ${open} 个，其中 ${echoed} 个收到了自己发出的内容`,
      },
      measured: { "all of it, ms": performance.now() - began },
    };
  },
});

async function together(stage: Stage, scene: Scene, n: number, port: number) {
  using listener = listen(port);
  const ends: Deno.TcpConn[] = [];
  const serving: Promise<void>[] = [];
  const size = Math.ceil(n / groups);
  const lanes = Array.from({ length: Math.ceil(n / size) }, (_, i) => {
    const last = Math.min(n, (i + 1) * size);
    return `${i * size + 1}-${last}`;
  });
  const phase = (t: number, what: "starts" | "runs" | "waits" | "ends", text?: string) => {
    const of = what === "waits" ? "the echo" : undefined;
    for (const lane of lanes) scene.tells({ t, lane, what, of, text });
  };
  const stop = () => ends.forEach(hangUp);
  stage.signal.addEventListener("abort", stop);
  try {
    phase(0, "starts");
    const clients: Deno.TcpConn[] = [];
    for (let i = 0; i < n; i++) {
      stage.signal.throwIfAborted();
      const near = await connect(listener);
      const far = await listener.accept();
      clients.push(near);
      ends.push(near, far);
      // Whom the server fails gets no answer, and that is counted.
      serving.push(echo(far).catch(() => hangUp(far)));
    }
    const open = serving.length;
    phase(0.1, "runs", "are connected");
    await Promise.all(clients.map((client, i) => send(client, `hello from ${i}`)));
    phase(0.2, "waits");
    const answers = await Promise.all(clients.map(receive));
    phase(0.3, "runs", "have their answer");
    const echoed = answers.filter((answer, i) => answer === `hello from ${i}`).length;
    for (const client of clients) await client.closeWrite();
    await Promise.all(serving);
    phase(0.4, "ends");
    return { open, echoed };
  } catch (cause) {
    stage.signal.throwIfAborted();
    if (!/EMFILE|too many open files/i.test(String(cause))) throw cause;
    throw new BargeError("unavailable", "the system allows no more open files", {
      ...{ op: "demo", path: "clients", cause },
      hint: "take fewer with --threads, or raise `ulimit -n`",
    });
  } finally {
    stage.signal.removeEventListener("abort", stop);
    stop();
  }
}

/** The server's side of one client. */
async function echo(conn: Deno.TcpConn): Promise<void> {
  for (let line; (line = await receive(conn)) !== undefined;) await send(conn, line);
}
