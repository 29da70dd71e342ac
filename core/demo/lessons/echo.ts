/**
 * `echo`: a server with an accept loop and a talk loop. Over TCP it starts a thread for each
 * connection, over UDP for each datagram. A socket cannot go to another isolate, so a thread receives
 * lines from one queue, and puts its answers into another.
 */
import { type Handle, Queue } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import type { Runner, Trace } from "../runner/runner.ts";
import { bilingual, type Text } from "../text.ts";
import { Connections, DatagramSocket, hangUp, type Pair, receive, send } from "./parts/sockets.ts";

const linesPerClient = 3;
/** The item that ends a talk loop, as its client has disconnected. */
const endOfLines = null;

interface Channel {
  readonly requests: Handle<"Queue">;
  readonly answers: Handle<"Queue">;
}

const jobs = {
  /** Runs the talk loop, which returns each line in upper case. @returns the number of lines */
  talk({ requests, answers }: Channel): number {
    const from = Queue.attach<string | typeof endOfLines>(requests);
    const to = Queue.attach<string>(answers);
    for (let n = 0;; n++) {
      const line = from.get();
      if (line === endOfLines) return n;
      to.put(line.toUpperCase());
    }
  },
  /** Answers one datagram. */
  answer({ datagram }: { readonly datagram: string }): string {
    return datagram.toUpperCase();
  },
};

const serverName = bilingual`server || 服务器`;

function threadName(number: number): Text {
  return bilingual`thread ${number} || 线程 ${number}`;
}

export default {
  idea: {
    en: `The oldest way to serve many clients uses the two loops that every server has. The accept
loop waits for a client, starts a thread for it, and waits for the next one. The talk loop runs
in that thread: it reads, answers and reads again until the client disconnects. Python's
socketserver has a class for each: BaseServer accepts, BaseRequestHandler talks. A thread may
block on its client without delaying others. The code is simple, as each thread has one
conversation. The price is a stack, or here an isolate, for each client: fine for tens of
clients, too much for thousands. For those see clients and select.
UDP has no connections: one socket receives the datagrams of all clients, each with the address
for the answer. So the receive loop starts a thread for each datagram, which answers it and
ends. There is no conversation to continue, and so no talk loop.`,
    zh: `服务多个客户端最老的办法，也是每个服务器都有的两个循环。连接循环等下一个客户端，为它启动
一个线程，再接着等；通信循环由那个线程来跑：读、答、再读，直到客户端离开。Python 的
socketserver 给它们各准备了一个类：BaseServer 负责接受连接，BaseRequestHandler 负责通信。线程可以
放心地阻塞在自己的客户端上，不妨碍别人。好写也好读，因为每个线程只管一段对话。代价是每个客户端
要一个栈（在这里是一个隔离实例）：几十个没问题，几千个就太多了。那种情况请看 clients 和 select。
UDP 没有连接：一个套接字收所有客户端的数据报，每个都带着回信地址。所以接收循环为每个数据报启动
一个线程，答完就结束；没有要维持的对话，也就没有通信循环。`,
  },
  code:
    `for await (const conn of listener) start(() => {      // [[the accept loop: a thread per connection || 连接循环：每个连接一个线程]]
  for (let line; (line = conn.readLine()); )          // [[the talk loop || 通信循环]]
    conn.write(line.toUpperCase());
});

for await (const [datagram, from] of socket)          // [[UDP: a thread per datagram || UDP：每个数据报一个线程]]
  start(() => socket.send(upper(datagram), from));`,
  threads: { default: 3, min: 1, max: 20 },
  jobs,
  async run(runner, { threads, port }) {
    const title = bilingual`TCP: ${threads} clients with a thread each ||
      TCP：${threads} 个客户端，各一个线程`;
    const echoed = await runner.runRealTime(
      title,
      (trace) => overTcp(runner, trace, threads, port),
    );
    const datagrams = await runner.runRealTime({
      en: `UDP: ${threads} clients, one socket, a thread per datagram`,
      zh: `UDP：${threads} 个客户端，一个套接字，每个数据报一个线程`,
    }, (trace) => overUdp(runner, trace, threads));
    const wanted = threads * linesPerClient;
    return {
      ok: echoed === wanted && datagrams === threads,
      summary: bilingual`over TCP ${threads} threads returned ${echoed} of ${wanted} lines; over
        UDP one thread per datagram returned ${datagrams} of ${threads} ||
        TCP：${threads} 个线程送回了 ${wanted} 行中的 ${echoed} 行；UDP：
        ${threads} 个数据报送回了 ${datagrams} 个，各由一个线程`,
    };
  },
} satisfies Lesson;

/** Returns a function that shows each event a moment after the last. */
function showInOrder(trace: Trace) {
  let t = 0;
  return (lane: Text, what: "starts" | "runs" | "ends", text?: Text) =>
    trace.event({ t: t += 0.01, lane, what, text });
}

async function overTcp(runner: Runner, trace: Trace, n: number, port: number): Promise<number> {
  using connections = new Connections(port, runner.signal);
  const show = showInOrder(trace);
  show(serverName, "starts");
  const conversations: Conversation[] = [];
  for (let i = 1; i <= n; i++) {
    conversations.push(await accept(runner, connections, i));
    show(serverName, "runs", {
      en: `accepts client ${i}, starts thread ${i}`,
      zh: `接受客户端 ${i}，启动线程 ${i}`,
    });
    show(threadName(i), "starts");
  }
  let echoed = 0;
  for (let round = 1; round <= linesPerClient; round++) {
    for (const { number, client } of runner.random.shuffled(conversations)) {
      const line = `x${number}.${round}`;
      await send(client, line);
      const answer = await receive(client);
      if (answer === line.toUpperCase()) echoed++;
      show(threadName(number), "runs", {
        en: `gets ${line}, sends ${answer}`,
        zh: `收到 ${line}，发回 ${answer}`,
      });
    }
  }
  for (const { number, client, thread, pump } of conversations) {
    client.close();
    await pump;
    const lines = await thread;
    show(threadName(number), "ends", bilingual`after ${lines} lines || 共 ${lines} 行`);
  }
  show(serverName, "ends");
  return echoed;
}

interface Conversation extends Pair {
  readonly number: number;
  /** The result of the server's thread: the number of its lines. */
  readonly thread: Promise<number>;
  /** Carries lines between the socket and the queues of the thread. */
  readonly pump: Promise<void>;
}

/** Runs one iteration of the accept loop. */
async function accept(
  runner: Runner,
  connections: Connections,
  number: number,
): Promise<Conversation> {
  const { client, server } = await connections.connect();
  const requests = new Queue<string | typeof endOfLines>(1);
  const answers = new Queue<string>(1);
  const { signal } = runner;
  const thread = runner.runInWorker(jobs.talk, {
    requests: requests.handle,
    answers: answers.handle,
  });
  const pump = (async () => {
    for (;;) {
      const line = await receive(server);
      await requests.putAsync(line ?? endOfLines, { signal });
      if (line === undefined) return;
      await send(server, await answers.getAsync({ signal }));
    }
  })();
  // Both are awaited at the end. After an earlier failure, the client misses an answer.
  thread.catch(() => hangUp(client));
  pump.catch(() => hangUp(client));
  return { number, client, server, thread, pump };
}

/** Serves one socket with a thread for each datagram. @returns the number of answers */
async function overUdp(runner: Runner, trace: Trace, n: number): Promise<number> {
  const show = showInOrder(trace);
  using socket = new DatagramSocket(runner.signal);
  show(serverName, "starts");
  let answered = 0;
  for (const number of runner.random.shuffled(Array.from({ length: n }, (_, i) => i + 1))) {
    using client = new DatagramSocket(runner.signal);
    await client.send(`x${number}`, socket.address);
    const { text: datagram, from } = await socket.receive();
    show(serverName, "runs", {
      en: `receives ${datagram} from client ${number}, starts thread ${number}`,
      zh: `收到客户端 ${number} 的 ${datagram}，启动线程 ${number}`,
    });
    show(threadName(number), "starts");
    const answer = await runner.runInWorker(jobs.answer, { datagram });
    await socket.send(answer, from);
    show(threadName(number), "ends", bilingual`sends ${answer} back || 发回 ${answer}`);
    const back = await client.receive();
    if (back.text === datagram.toUpperCase()) answered++;
  }
  show(serverName, "ends");
  return answered;
}
