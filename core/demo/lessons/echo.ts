/**
 * `echo`: a server as two loops, one that accepts and one that talks, over TCP with a thread for each
 * connection, and over UDP with one for each datagram. A socket can't go to another isolate, so a
 * thread gets its lines through a queue, and answers through another.
 */
import { type Handle, Queue } from "../../sync/mod.ts";
import { lesson } from "../lesson.ts";
import { connect, DatagramSocket, hangUp, listen, receive, send } from "./parts/sockets.ts";
import type { Runner, Trace } from "../runner/runner.ts";
import { bilingual, type Text } from "../text.ts";

const lines = 3;
/** The mark in the talk loop's queue for a client that has gone. */
const end = null;

interface Channel {
  readonly requests: Handle<"Queue">;
  readonly answers: Handle<"Queue">;
}

const jobs = {
  /**
   * The talk loop: waits for a line and sends it back in upper case. @returns the number of lines
   */
  talk({ requests, answers }: Channel): number {
    const from = Queue.attach<string | typeof end>(requests);
    const to = Queue.attach<string>(answers);
    for (let n = 0;; n++) {
      const line = from.get();
      if (line === end) return n;
      to.put(line.toUpperCase());
    }
  },
  /** A thread for one datagram. */
  answer({ datagram }: { readonly datagram: string }): string {
    return datagram.toUpperCase();
  },
};

const server = { en: "server", zh: "服务器" };

function thread(number: number): Text {
  return { en: `thread ${number}`, zh: `线程 ${number}` };
}

export default lesson({
  idea: {
    en: `The oldest way to serve many clients, and the two loops that every server has. The accept
loop waits for the next client, starts a thread for it, and waits again. The talk loop is what
that thread runs: read, answer, read, until its client is gone. Python's socketserver has a
class for each: BaseServer accepts, BaseRequestHandler talks. A thread may block on its client
without harm to anybody else. It is easy to write and to read, as each thread has one
conversation. It costs a stack, or here an isolate, a client: fine for tens, too much for
thousands. See clients and select for those.
UDP has no connections: one socket gets the datagrams of all clients, each with the address to
answer to. So there the receive loop starts a thread for each datagram, which answers it and is
over; there is no conversation to keep, and no talk loop.`,
    zh: `服务多个客户端最老的办法，也是每个服务器都有的两个循环。连接循环等下一个客户端，为它启动
一个线程，再接着等；通信循环由那个线程来跑：读、答、再读，直到客户端离开。Python 的
socketserver 给它们各准备了一个类：BaseServer 负责接受连接，BaseRequestHandler 负责通信。线程可以
放心地阻塞在自己的客户端上，不妨碍别人。好写也好读，因为每个线程只管一段对话。代价是每个客户端
要一个栈（在这里是一个隔离实例）：几十个没问题，几千个就太多了。那种情况请看 clients 和 select。
UDP 没有连接：一个套接字收所有客户端的数据报，每个都带着回信地址。所以接收循环为每个数据报启动
一个线程，答完就结束；没有要维持的对话，也就没有通信循环。`,
  },
  code: bilingual`for await (const conn of listener) start(() => {      // ${{
    en: "the accept loop: a thread a connection",
    zh: "连接循环：每个连接一个线程",
  }}
  for (let line; (line = conn.readLine()); )          // ${{ en: "the talk loop", zh: "通信循环" }}
    conn.write(line.toUpperCase());
});

for await (const [datagram, from] of socket)          // ${{
    en: "UDP: a thread a datagram",
    zh: "UDP：每个数据报一个线程",
  }}
  start(() => socket.send(upper(datagram), from));`,
  threads: { default: 3, min: 1, max: 20 },
  jobs,
  async run(runner, { threads, port }) {
    const title = {
      en: `TCP: ${threads} clients, a thread each`,
      zh: `TCP：${threads} 个客户端，各一个线程`,
    };
    const echoed = await runner.runRealTime(
      title,
      (trace) => overTcp(runner, trace, threads, port),
    );
    const datagrams = await runner.runRealTime({
      en: `UDP: ${threads} clients, one socket, a thread a datagram`,
      zh: `UDP：${threads} 个客户端，一个套接字，每个数据报一个线程`,
    }, (trace) => overUdp(runner, trace, threads));
    const wanted = threads * lines;
    return {
      ok: echoed === wanted && datagrams === threads,
      summary: {
        en: `over TCP ${echoed} of ${wanted} lines came back, from ${threads} threads; over UDP ` +
          `${datagrams} of ${threads} datagrams, from a thread each`,
        zh: `TCP：${threads} 个线程送回了 ${wanted} 行中的 ${echoed} 行；` +
          `UDP：${threads} 个数据报送回了 ${datagrams} 个，各由一个线程`,
      },
    };
  },
});

/** Shows events in sequence. */
function inOrder(trace: Trace) {
  let t = 0;
  return (lane: Text, what: "starts" | "runs" | "ends", text?: Text) =>
    trace.event({ t: t += 0.01, lane, what, text });
}

async function overTcp(runner: Runner, trace: Trace, n: number, port: number): Promise<number> {
  using listener = listen(port);
  const show = inOrder(trace);
  show(server, "starts");
  const clients: Client[] = [];
  try {
    for (let i = 1; i <= n; i++) {
      clients.push(await accept(runner, listener, i));
      show(server, "runs", {
        en: `accepts client ${i}, starts thread ${i}`,
        zh: `接受客户端 ${i}，启动线程 ${i}`,
      });
      show(thread(i), "starts");
    }
    let echoed = 0;
    for (let round = 1; round <= lines; round++) {
      for (const { number, near } of runner.random.shuffled(clients)) {
        const line = `x${number}.${round}`;
        await send(near, line);
        const answer = await receive(near);
        if (answer === line.toUpperCase()) echoed++;
        show(thread(number), "runs", {
          en: `gets ${line}, sends ${answer}`,
          zh: `收到 ${line}，发回 ${answer}`,
        });
      }
    }
    for (const client of clients) {
      client.near.close();
      await client.pump;
      const n = await client.thread;
      show(thread(client.number), "ends", { en: `after ${n} lines`, zh: `共 ${n} 行` });
    }
    show(server, "ends");
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

/** Runs one round of the accept loop. */
async function accept(runner: Runner, listener: Deno.TcpListener, number: number): Promise<Client> {
  const near = await connect(listener);
  const far = await listener.accept();
  const [requests, answers] = [new Queue<string | typeof end>(1), new Queue<string>(1)];
  const { signal } = runner;
  const thread = runner.runInWorker(jobs.talk, {
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

/** Serves one socket with a thread for each datagram. @returns the number of answers */
async function overUdp(runner: Runner, trace: Trace, n: number): Promise<number> {
  const show = inOrder(trace);
  using socket = new DatagramSocket(runner.signal);
  show(server, "starts");
  let answered = 0;
  for (const number of runner.random.shuffled(Array.from({ length: n }, (_, i) => i + 1))) {
    using client = new DatagramSocket(runner.signal);
    await client.send(`x${number}`, socket.address);
    const { text: datagram, from } = await socket.receive();
    show(server, "runs", {
      en: `receives ${datagram} from client ${number}, starts thread ${number}`,
      zh: `收到客户端 ${number} 的 ${datagram}，启动线程 ${number}`,
    });
    show(thread(number), "starts");
    const answer = await runner.runInWorker(jobs.answer, { datagram });
    await socket.send(answer, from);
    show(thread(number), "ends", { en: `sends ${answer} back`, zh: `发回 ${answer}` });
    const back = await client.receive();
    if (back.text === datagram.toUpperCase()) answered++;
  }
  show(server, "ends");
  return answered;
}
