/**
 * `echo`: a server that starts a thread for each connection. A socket can't go to another isolate,
 * so its thread gets the lines through a queue, and answers through another.
 */
import { type Handle, Queue } from "../sync/mod.ts";
import { lesson } from "./lesson.ts";
import { connect, hangUp, listen, receive, send } from "./server.ts";
import type { Scene, Stage } from "./stage.ts";

const lines = 3;
const end = "end of connection";

interface Line {
  readonly requests: Handle<"Queue">;
  readonly answers: Handle<"Queue">;
}

const errands = {
  /** A thread of the server: blocks until there is a line, and gives it back. */
  connection({ requests, answers }: Line): number {
    const from = Queue.attach<string>(requests);
    const to = Queue.attach<string>(answers);
    for (let n = 0;; n++) {
      const line = from.get();
      if (line === end) return n;
      to.put(line);
    }
  },
};

export default lesson({
  idea: {
    en: `The oldest way to serve many clients: one thread accepts, and starts another for each
connection, which may then block on its client without harm to anybody else. It is easy to
write and to read, as each thread has one conversation. It costs a stack, or here an isolate,
a client: fine for tens, too much for thousands. See clients and select for those.`,
    zh: `服务多个客户端最老的办法：一个线程负责 accept，每来一个连接就开一个新线程，它可以放心地
阻塞在自己的客户端上，不妨碍别人。好写也好读，因为每个线程只管一段对话。代价是每个客户端要一个
栈（在这里是一个 isolate）：几十个没问题，几千个就太多了。那种情况请看 clients 和 select。`,
  },
  code: `for await (const conn of listener) start(() => {      // a thread a connection
  for (let line; (line = conn.readLine()); ) conn.write(line);
});`,
  threads: { usual: 3, least: 1, most: 20 },
  errands,
  async play(stage, { threads, port }) {
    const title = {
      en: `${threads} clients, a thread each`,
      zh: `${threads} 个客户端，各一个线程`,
    };
    const echoed = await stage.live(title, (scene) => serve(stage, scene, threads, port));
    const wanted = threads * lines;
    return {
      ok: echoed === wanted,
      said: {
        en: `${echoed} of ${wanted} lines came back, from ${threads} threads`,
        zh: `${threads} 个线程，送回了 ${wanted} 行中的 ${echoed} 行`,
      },
    };
  },
});

async function serve(stage: Stage, scene: Scene, n: number, port: number): Promise<number> {
  using listener = listen(port);
  let t = 0;
  const tells = (lane: string, what: "starts" | "runs" | "ends", text?: string) =>
    scene.tells({ t: t += 0.01, lane, what, text });
  tells("server", "starts");
  const clients: Client[] = [];
  try {
    for (let i = 1; i <= n; i++) {
      clients.push(await accept(stage, listener, i));
      tells("server", "runs", `accepts client ${i}, starts thread ${i}`);
      tells(`thread ${i}`, "starts");
    }
    let echoed = 0;
    for (let round = 1; round <= lines; round++) {
      for (const { number, near } of stage.random.shuffled(clients)) {
        const line = `client ${number}, line ${round}`;
        await send(near, line);
        if (await receive(near) === line) echoed++;
        tells(`thread ${number}`, "runs", `echoes ${line}`);
      }
    }
    for (const client of clients) {
      client.near.close();
      await client.pump;
      tells(`thread ${client.number}`, "ends", `after ${await client.thread} lines`);
    }
    tells("server", "ends");
    return echoed;
  } finally {
    for (const { near, far } of clients) for (const conn of [near, far]) hangUp(conn);
  }
}

interface Client {
  readonly number: number;
  /** The client's end, and the server's. */
  readonly near: Deno.TcpConn;
  readonly far: Deno.TcpConn;
  /** The server's thread; ends with how many lines it had. */
  readonly thread: Promise<number>;
  /** Carries lines between the socket and the thread. */
  readonly pump: Promise<void>;
}

async function accept(stage: Stage, listener: Deno.TcpListener, number: number): Promise<Client> {
  const near = await connect(listener);
  const far = await listener.accept();
  const [requests, answers] = [new Queue<string>(1), new Queue<string>(1)];
  const { signal } = stage;
  const thread = stage.errand(errands.connection, {
    requests: requests.handle,
    answers: answers.handle,
  });
  const pump = (async () => {
    for (;;) {
      const line = await receive(far);
      await requests.putAsync(line ?? end, { signal });
      if (line === undefined) return;
      await send(far, await answers.getAsync({ signal }));
    }
  })();
  // Both are awaited when the client has gone; a failure before that shows in its missing answer.
  thread.catch(() => hangUp(near));
  pump.catch(() => hangUp(near));
  return { number, near, far, thread, pump };
}
