/**
 * `select`: one isolate serves many sockets without threads. The system reports which of them are
 * readable; here the runtime's event loop reads that report, and resolves the pending reads.
 */
import type { Lesson } from "../lesson.ts";
import type { Runner, Trace } from "../runner/runner.ts";
import { Connections, type Pair, receive, send } from "./parts/sockets.ts";
import { bilingual } from "../text.ts";

const rounds = 2;

export default {
  idea: {
    en: `One thread can serve many sockets if it never waits for a particular one. It asks the
system "which of these are ready?" (select, poll, epoll), serves those, and asks again. There
is no thread per client, and no lock, as one thing happens at a time; but work that takes long
delays all clients. An event loop, like the one that runs this program, is a more convenient
form of this: each await adds a socket to the list of its question.`,
    zh: `只要不死等某一个，一个线程就能服务许多套接字。它问系统：“这些里面哪些就绪了？”（select、
poll、epoll），处理就绪的，然后再问。不用每个客户端一个线程，也不用锁，因为同一时刻只做一件事；
但哪件事做得久，所有人都得等。事件循环（比如运行本程序的这个）就是它的好用版：每个 await 都是
它要问的清单里的一个套接字。`,
  },
  code: `const reads = new Map(conns.map((conn) => [conn, next(conn)]));
for (;;) {
  const [conn, line] = await Promise.race(reads.values());   // [[the first that is ready || 谁就绪就是谁]]
  conn.write(line);
  reads.set(conn, next(conn));
}`,
  threads: { default: 6, min: 2, max: 100 },
  async run(runner, { threads, port }) {
    const title = bilingual`one isolate serves ${threads} sockets ||
      一个隔离实例服务 ${threads} 个套接字`;
    const { served, wanted } = await runner.runRealTime(
      title,
      (trace) => serve(runner, trace, threads, port),
    );
    return {
      ok: served.join() === wanted.join(),
      summary: bilingual`${served.length} lines from ${threads} sockets were served by one
        isolate, each when it was ready ||
        一个隔离实例处理了 ${threads} 个套接字的 ${served.length} 行，谁先来就先处理谁`,
    };
  },
} satisfies Lesson;

interface Ready {
  readonly number: number;
  readonly line: string | undefined;
}

async function serve(runner: Runner, trace: Trace, count: number, port: number) {
  using connections = new Connections(port, runner.signal);
  const pairs: Pair[] = [];
  while (pairs.length < count) pairs.push(await connections.connect());
  return await runLoop(runner, trace, pairs);
}

/** Sends lines in a random order, and serves each socket as soon as it is readable. */
async function runLoop(runner: Runner, trace: Trace, pairs: readonly Pair[]) {
  const numbers = pairs.map((_, number) => number);
  const order = Array.from({ length: rounds }, () => runner.random.shuffled(numbers)).flat();
  const served: number[] = [];
  let t = 0;
  const lane = (number: number) => bilingual`socket ${number + 1} || 套接字 ${number + 1}`;
  const data = bilingual`data || 数据`;
  for (const number of numbers) {
    trace.event({ t, lane: lane(number), what: "starts" });
    trace.event({ t, lane: lane(number), what: "waits", of: data });
  }
  const readNext = (number: number): Promise<Ready> => {
    const read = receive(pairs[number]!.server).then((line) => ({ number, line }));
    read.catch(() => {}); // awaited in the race below, unless another failure comes first
    return read;
  };
  const reads = new Map(numbers.map((number) => [number, readNext(number)]));
  for (const chosen of order) {
    await send(pairs[chosen]!.client, `x${chosen + 1}`);
    const { number, line } = await Promise.race(reads.values());
    served.push(number);
    trace.event({
      t: t += 0.01,
      lane: lane(number),
      what: "runs",
      text: bilingual`is ready: ${line} || 就绪：${line}`,
    });
    await send(pairs[number]!.server, line ?? "");
    await receive(pairs[number]!.client);
    reads.set(number, readNext(number));
    trace.event({ t: t += 0.01, lane: lane(number), what: "waits", of: data });
  }
  for (const number of numbers) trace.event({ t, lane: lane(number), what: "ends" });
  // The last reads end with the connections.
  for (const { client } of pairs) await client.closeWrite();
  await Promise.all(reads.values());
  return { served, wanted: order };
}
