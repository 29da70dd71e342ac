/**
 * `crawl`: six pages, one by one and then together. By default from a server of its own, whose
 * pages take from half a second to three, on the lesson's clock; or the URLs given.
 *
 * So that the same is shown each time, the server answers in the order of its delays: a page is sent
 * once its time has come, and the one before it has been read.
 */
import { BargeError } from "../../error.ts";
import { lesson } from "../lesson.ts";
import { listenFailure } from "./parts/sockets.ts";
import type { Runner, Trace } from "../runner/runner.ts";
import { bilingual, joinNames, type Text } from "../text.ts";

/** A second of the lesson takes so many of the clock. */
const scale = 0.08;
/** How long each page takes, in seconds of the lesson. */
const delays = [2, 0.5, 3, 1, 2.5, 1.5];
/** For a page from elsewhere. Milliseconds. */
const patience = 10_000;

interface Page {
  readonly name: Text;
  readonly url: string;
  /** Undefined: nobody knows. */
  readonly delay: number | undefined;
}

export default lesson({
  idea: {
    en:
      `A page is mostly waited for. One by one the waits add up; together they overlap, and all take
as long as the slowest one. One thread is enough for that, as nothing is computed: each fetch
is a task, and the loop goes on with whichever is there. Be polite with the sites of others:
a semaphore bounds how many you ask at once.`,
    zh: `抓网页的时间大多花在等待上。一个一个来，等待就累加；一起来，等待就重叠，总时间只取决于最慢
的那个。这里不用计算，一个线程就够了：每个 fetch 是一个任务，谁先到就先处理谁。抓别人的网站要
有礼貌：用信号量限制同时请求的数量。`,
  },
  code: bilingual`for (const url of urls) await fetch(url);                    // ${{
    en: "the sum of all waits",
    zh: "所有等待之和",
  }}
await Promise.all(urls.map((url) => fetch(url)));            // ${{
    en: "the longest of them",
    zh: "其中最长的一个",
  }}`,
  async run(runner, { speed, port, urls }) {
    if (urls.length > 0) return await given(runner, urls);
    const second = 1000 * scale / speed;
    await using server = pages(port, second);
    const order: Text[] = [];
    const scaled = {
      en: `a second of the lesson takes ${second} ms`,
      zh: `课里的一秒实际是 ${second} 毫秒`,
    };
    const sum = delays.reduce((total, delay) => total + delay, 0);
    const began = performance.now();
    await runner.runRealTime({
      en: `one by one; ${scaled.en}`,
      zh: `一个一个来；${scaled.zh}`,
    }, async (trace) => {
      let t = 0;
      for (const page of server.pages) {
        await get(runner, trace, page, t, t += page.delay!);
      }
    });
    const between = performance.now();
    await runner.runRealTime({ en: "together", zh: "一起来" }, async (trace) => {
      server.inOrder();
      await Promise.all(server.pages.map(async (page) => {
        await get(runner, trace, page, 0, page.delay!);
        order.push(page.name);
        server.read();
      }));
    });
    const wanted = server.pages.toSorted((a, b) => a.delay! - b.delay!).map(({ name }) => name);
    return {
      ok: joinNames(order).en === joinNames(wanted).en,
      summary: {
        en: `in seconds of the lesson: one by one ${sum}, the sum; together ` +
          `${Math.max(...delays)}, the slowest one; they came as ${joinNames(order).en}`,
        zh: `按课里的秒：一个一个来 ${sum} 秒，是总和；一起来 ${Math.max(...delays)} 秒，是最慢的` +
          `一个；到达顺序：${joinNames(order).zh}`,
      },
      measured: [
        { name: { en: "one by one, ms", zh: "一个一个来，毫秒" }, value: between - began },
        { name: { en: "together, ms", zh: "一起来，毫秒" }, value: performance.now() - between },
      ],
    };
  },
});

/** Pages from elsewhere: what happened, when it happened. */
async function given(runner: Runner, urls: readonly URL[]) {
  const pages = urls.map((url, i) => ({ name: pageName(i), url: url.href, delay: undefined }));
  const times: number[] = [];
  const titles = [{ en: "one by one", zh: "一个一个来" }, { en: "together", zh: "一起来" }];
  for (const [together, title] of titles.entries()) {
    const began = performance.now();
    await runner.runRealTime(title, async (trace) => {
      const since = () => (performance.now() - began) / 1000;
      const one = (page: Page) => get(runner, trace, page, since(), since);
      if (together === 1) await Promise.all(pages.map(one));
      else for (const page of pages) await one(page);
    }, "measured");
    times.push(performance.now() - began);
  }
  const n = urls.length;
  return {
    ok: true,
    summary: { en: `${n} pages were fetched, twice`, zh: `${n} 个网页各抓了两遍` },
    measured: [
      { name: { en: "one by one, ms", zh: "一个一个来，毫秒" }, value: times[0]! },
      { name: { en: "together, ms", zh: "一起来，毫秒" }, value: times[1]! },
    ],
  };
}

/** Fetches a page. @param end when it should be there, or, after that, when it was */
async function get(
  runner: Runner,
  trace: Trace,
  { name, url }: Page,
  t: number,
  end: number | (() => number),
): Promise<void> {
  trace.event({ t, lane: name, what: "starts" });
  trace.event({ t, lane: name, what: "waits", of: { en: "the server", zh: "服务器" } });
  const signal = AbortSignal.any([runner.signal, AbortSignal.timeout(patience)]);
  let size = 0;
  try {
    const response = await fetch(url, { signal });
    for await (const bytes of response.body ?? []) size += bytes.length;
    if (!response.ok) throw new Error(`status ${response.status}`);
  } catch (cause) {
    runner.signal.throwIfAborted();
    throw failure(url, cause);
  }
  const at = typeof end === "number" ? end : end();
  trace.event({
    t: at,
    lane: name,
    what: "runs",
    text: { en: `has ${size} bytes`, zh: `收到 ${size} 字节` },
  });
  trace.event({ t: at, lane: name, what: "ends" });
}

function pageName(i: number): Text {
  return { en: `page ${i + 1}`, zh: `网页 ${i + 1}` };
}

/** A server whose pages take their time. */
function pages(port: number, second: number) {
  let turn: Promise<void> | undefined;
  const doors = delays.map(() => Promise.withResolvers<void>());
  const ranks = delays.map((delay) => delays.filter((other) => other < delay).length);
  let reads = 0;
  const stop = new AbortController();
  const answer = async (request: Request): Promise<Response> => {
    const i = Number(new URL(request.url).pathname.slice(1)) - 1;
    const delay = delays[i];
    if (delay === undefined) return new Response("no such page", { status: 404 });
    await new Promise((resolve) => setTimeout(resolve, delay * second));
    if (turn) await doors[ranks[i]!]!.promise;
    return new Response(`page ${i + 1}\n`.repeat(100 * (i + 1)));
  };
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    const { signal } = stop;
    const hostname = "127.0.0.1";
    server = Deno.serve({ hostname, port, signal, onListen() {} }, answer);
  } catch (cause) {
    throw listenFailure(port, cause);
  }
  return {
    pages: delays.map((delay, i): Page => ({
      name: pageName(i),
      url: `http://127.0.0.1:${server.addr.port}/${i + 1}`,
      delay,
    })),
    /** From here on pages are sent in the order of their delays. */
    inOrder() {
      turn = doors[0]!.promise;
      doors[0]!.resolve();
    },
    /** The newest page has been read: the next may come. */
    read: () => doors[++reads]?.resolve(),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.finished;
    },
  };
}

function failure(url: string, cause: unknown): unknown {
  if (cause instanceof DOMException && cause.name === "TimeoutError") {
    return new BargeError("unavailable", `no answer within ${patience / 1000} s`, {
      op: "fetch",
      path: url,
    });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BargeError("unavailable", why, { op: "fetch", path: url, cause });
}
