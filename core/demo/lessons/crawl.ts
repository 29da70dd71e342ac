/**
 * `crawl`: fetches six pages, one by one and then together. A server of the lesson sends them, after half a
 * second to three seconds on the lesson's clock. With URLs of the user, it fetches those instead.
 *
 * The output must be the same in each run, so the server answers in the order of its delays: it sends
 * a page once its delay is over and the page before it has been read.
 */
import { BargeError } from "../../error.ts";
import type { Lesson } from "../lesson.ts";
import type { Runner, Trace } from "../runner/runner.ts";
import { bilingual, joinNames, type Text } from "../text.ts";
import { listenFailure } from "./parts/sockets.ts";

/** The real time of a second of the lesson. */
const defaultMsPerSecond = 80;
/** The delays of the pages, in seconds of the lesson. */
const delays = [2, 0.5, 3, 1, 2.5, 1.5];
const fetchTimeoutMs = 10_000;

interface Page {
  readonly name: Text;
  readonly url: string;
  /** Seconds of the lesson; undefined for a URL of the user. */
  readonly delay: number | undefined;
}

export default {
  idea: {
    en: `The time of a fetch is mostly a wait. One by one, the waits add up; together they
overlap, and take as long as the slowest one. One thread is enough, as nothing is computed:
each fetch is a task, and the event loop continues with any that has its answer. Be polite to
the sites of others: limit the number of concurrent requests with a semaphore.`,
    zh: `抓网页的时间大多花在等待上。一个一个来，等待就累加；一起来，等待就重叠，总时间只取决于最慢
的那个。这里不用计算，一个线程就够了：每个 fetch 是一个任务，谁先到就先处理谁。抓别人的网站要
有礼貌：用信号量限制同时请求的数量。`,
  },
  code:
    `for (const url of urls) await fetch(url);                    // [[the sum of all waits || 所有等待之和]]
await Promise.all(urls.map((url) => fetch(url)));            // [[the longest of them || 其中最长的一个]]`,
  async run(runner, { speed, port, urls }) {
    if (urls.length > 0) return await fetchUrls(runner, urls);
    const msPerSecond = defaultMsPerSecond / speed;
    await using server = servePages(port, msPerSecond);
    const order: Text[] = [];
    const scaled = bilingual`a second of the lesson takes ${msPerSecond} ms ||
      课里的一秒实际是 ${msPerSecond} 毫秒`;
    const sum = delays.reduce((total, delay) => total + delay, 0);
    const began = performance.now();
    const title = bilingual`one by one; ${scaled.en} || 一个一个来；${scaled.zh}`;
    await runner.runRealTime(title, async (trace) => {
      let t = 0;
      for (const page of server.pages) {
        await fetchPage(runner, trace, page, t, t += page.delay!);
      }
    });
    const middle = performance.now();
    await runner.runRealTime(bilingual`together || 一起来`, async (trace) => {
      server.sendInOrder();
      await Promise.all(server.pages.map(async (page) => {
        await fetchPage(runner, trace, page, 0, page.delay!);
        order.push(page.name);
        server.allowNext();
      }));
    });
    const wanted = server.pages.toSorted((a, b) => a.delay! - b.delay!).map(({ name }) => name);
    return {
      ok: joinNames(order).en === joinNames(wanted).en,
      summary: bilingual`in seconds of the lesson: one by one ${sum}, the sum; together
        ${Math.max(...delays)}, the slowest one; the pages arrived in the order
        ${joinNames(order).en} ||
        按课里的秒：一个一个来 ${sum} 秒，是总和；一起来 ${Math.max(...delays)} 秒，是最慢的一个；
        到达顺序：${joinNames(order).zh}`,
      measured: [
        { name: bilingual`one by one, ms || 一个一个来，毫秒`, value: middle - began },
        { name: bilingual`together, ms || 一起来，毫秒`, value: performance.now() - middle },
      ],
    };
  },
} satisfies Lesson;

/** Fetches the URLs of the user, with measured times. */
async function fetchUrls(runner: Runner, urls: readonly URL[]) {
  const pages = urls.map((url, i) => ({ name: pageName(i), url: url.href, delay: undefined }));
  const times: number[] = [];
  const titles = [bilingual`one by one || 一个一个来`, bilingual`together || 一起来`];
  for (const [together, title] of titles.entries()) {
    const began = performance.now();
    await runner.runRealTime(title, async (trace) => {
      const elapsed = () => (performance.now() - began) / 1000;
      const fetchOne = (page: Page) => fetchPage(runner, trace, page, elapsed(), elapsed);
      if (together === 1) await Promise.all(pages.map(fetchOne));
      else for (const page of pages) await fetchOne(page);
    }, "measured");
    times.push(performance.now() - began);
  }
  const n = urls.length;
  return {
    ok: true,
    summary: bilingual`${n} pages were fetched, twice || ${n} 个网页各抓了两遍`,
    measured: [
      { name: bilingual`one by one, ms || 一个一个来，毫秒`, value: times[0]! },
      { name: bilingual`together, ms || 一起来，毫秒`, value: times[1]! },
    ],
  };
}

/** Fetches a page, and shows it from `start` to `end` (seconds, or a function that returns them). */
async function fetchPage(
  runner: Runner,
  trace: Trace,
  { name, url }: Page,
  start: number,
  end: number | (() => number),
): Promise<void> {
  trace.event({ t: start, lane: name, what: "starts" });
  trace.event({ t: start, lane: name, what: "waits", of: bilingual`the server || 服务器` });
  const signal = AbortSignal.any([runner.signal, AbortSignal.timeout(fetchTimeoutMs)]);
  let size = 0;
  try {
    const response = await fetch(url, { signal });
    for await (const bytes of response.body ?? []) size += bytes.length;
    if (!response.ok) throw new Error(`status ${response.status}`);
  } catch (cause) {
    runner.signal.throwIfAborted();
    throw fetchFailure(url, cause);
  }
  const t = typeof end === "number" ? end : end();
  const text = bilingual`received ${size} bytes || 收到 ${size} 字节`;
  trace.event({ t, lane: name, what: "runs", text });
  trace.event({ t, lane: name, what: "ends" });
}

function pageName(i: number): Text {
  return bilingual`page ${i + 1} || 网页 ${i + 1}`;
}

/** Starts a server that sends each page after its delay. */
function servePages(port: number, msPerSecond: number) {
  let ordered = false;
  // The promises by rank of the delay; each is resolved once its page may be sent.
  const mayBeSent = delays.map(() => Promise.withResolvers<void>());
  const ranks = delays.map((delay) => delays.filter((other) => other < delay).length);
  let pagesRead = 0;
  const stop = new AbortController();
  const answer = async (request: Request): Promise<Response> => {
    const i = Number(new URL(request.url).pathname.slice(1)) - 1;
    const delay = delays[i];
    if (delay === undefined) return new Response("no such page", { status: 404 });
    await new Promise((resolve) => setTimeout(resolve, delay * msPerSecond));
    if (ordered) await mayBeSent[ranks[i]!]!.promise;
    return new Response(`page ${i + 1}\n`.repeat(100 * (i + 1)));
  };
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    const options = { hostname: "127.0.0.1", port, signal: stop.signal, onListen() {} };
    server = Deno.serve(options, answer);
  } catch (cause) {
    throw listenFailure(port, cause);
  }
  return {
    pages: delays.map((delay, i): Page => ({
      name: pageName(i),
      url: `http://127.0.0.1:${server.addr.port}/${i + 1}`,
      delay,
    })),
    /** From now on, sends pages in the order of their delays. */
    sendInOrder() {
      ordered = true;
      mayBeSent[0]!.resolve();
    },
    /** Allows the next page, as the last one has been read. */
    allowNext: () => mayBeSent[++pagesRead]?.resolve(),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.finished;
    },
  };
}

function fetchFailure(url: string, cause: unknown): unknown {
  if (cause instanceof DOMException && cause.name === "TimeoutError") {
    return new BargeError("unavailable", `no answer within ${fetchTimeoutMs / 1000} s`, {
      op: "fetch",
      path: url,
    });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BargeError("unavailable", why, { op: "fetch", path: url, cause });
}
