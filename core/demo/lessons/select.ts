/**
 * `select`: one isolate, many sockets, no threads. It asks the system which of them have something
 * to read, and reads those; here the runtime's event loop asks, and resolves the reads.
 */
import { lesson } from "../lesson.ts";
import { connect, listen, receive, send } from "./parts/sockets.ts";
import type { Runner, Trace } from "../runner/runner.ts";
import { bilingual } from "../text.ts";

const rounds = 2;

export default lesson({
  idea: {
    en: `One thread can serve many sockets if it never waits for a certain one. It asks the system
"which of these are ready?" (select, poll, epoll), serves those, and asks again. No thread a
client, no locks, since one thing happens at a time; but whatever takes long holds up all of
them. An event loop, as the one that runs this program, is this with a nicer face: each await
is a socket in the list that it asks about.`,
    zh: `只要不死等某一个，一个线程就能服务许多套接字。它问系统：“这些里面哪些就绪了？”（select、
poll、epoll），处理就绪的，然后再问。不用每个客户端一个线程，也不用锁，因为同一时刻只做一件事；
但哪件事做得久，所有人都得等。事件循环（比如运行本程序的这个）就是它的好用版：每个 await 都是
它要问的清单里的一个套接字。`,
  },
  code: bilingual`const reads = new Map(conns.map((conn) => [conn, next(conn)]));
for (;;) {
  const [conn, line] = await Promise.race(reads.values());   // ${{
    en: "whichever is ready",
    zh: "谁就绪就是谁",
  }}
  conn.write(line);
  reads.set(conn, next(conn));
}`,
  threads: { default: 6, min: 2, max: 100 },
  async run(runner, { threads, port }) {
    const title = {
      en: `one isolate serves ${threads} sockets`,
      zh: `一个隔离实例服务 ${threads} 个套接字`,
    };
    const { served, wanted } = await runner.runRealTime(
      title,
      (trace) => serve(runner, trace, threads, port),
    );
    return {
      ok: served.join() === wanted.join(),
      summary: {
        en: `${served.length} lines from ${threads} sockets were served by one isolate, ` +
          "each as it came",
        zh: `一个隔离实例处理了 ${threads} 个套接字的 ${served.length} 行，谁先来就先处理谁`,
      },
    };
  },
});

interface Ready {
  readonly number: number;
  readonly line: string | undefined;
}

async function serve(runner: Runner, trace: Trace, n: number, port: number) {
  using listener = listen(port);
  const open: Deno.TcpConn[] = [];
  const near: Deno.TcpConn[] = [];
  const far: Deno.TcpConn[] = [];
  try {
    for (let i = 0; i < n; i++) {
      near.push(await connect(listener));
      far.push(await listener.accept());
      open.push(near[i]!, far[i]!);
    }
    return await loop(runner, trace, near, far);
  } finally {
    for (const conn of open) conn.close();
  }
}

async function loop(
  runner: Runner,
  trace: Trace,
  near: readonly Deno.TcpConn[],
  far: readonly Deno.TcpConn[],
) {
  const numbers = near.map((_, number) => number);
  const order = Array.from({ length: rounds }, () => runner.random.shuffled(numbers)).flat();
  const served: number[] = [];
  let t = 0;
  const lane = (number: number) => ({ en: `socket ${number + 1}`, zh: `套接字 ${number + 1}` });
  const data = { en: "data", zh: "数据" };
  for (const number of numbers) {
    trace.event({ t, lane: lane(number), what: "starts" });
    trace.event({ t, lane: lane(number), what: "waits", of: data });
  }
  const next = (number: number): Promise<Ready> => {
    const read = receive(far[number]!).then((line) => ({ number, line }));
    read.catch(() => {}); // it is raced for below, if nothing else fails before
    return read;
  };
  const reads = new Map(numbers.map((number) => [number, next(number)]));
  for (const chosen of order) {
    await send(near[chosen]!, `x${chosen + 1}`);
    const { number, line } = await Promise.race(reads.values());
    served.push(number);
    trace.event({
      t: t += 0.01,
      lane: lane(number),
      what: "runs",
      text: { en: `is ready: ${line}`, zh: `就绪：${line}` },
    });
    await send(far[number]!, line ?? "");
    await receive(near[number]!);
    reads.set(number, next(number));
    trace.event({ t: t += 0.01, lane: lane(number), what: "waits", of: data });
  }
  for (const number of numbers) trace.event({ t, lane: lane(number), what: "ends" });
  // The last reads end with the connections.
  for (const conn of near) await conn.closeWrite();
  await Promise.all(reads.values());
  return { served, wanted: order };
}
