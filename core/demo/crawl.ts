/**
 * `crawl`: six pages, one by one and then together. By default from a server of its own, whose
 * pages take from half a second to three, on the lesson's clock; or the URLs given.
 *
 * So that the same is told each time, the server answers in the order of its delays: a page is sent
 * once its time has come, and the one before it has been read.
 */
import { BargeError } from "../error.ts";
import { lesson } from "./lesson.ts";
import { listenFailure } from "./server.ts";
import type { Scene, Stage } from "./stage.ts";

/** A second of the lesson takes so many of the clock. */
const scale = 0.08;
/** How long each page takes, in seconds of the lesson. */
const delays = [2, 0.5, 3, 1, 2.5, 1.5];
/** For a page from elsewhere. Milliseconds. */
const patience = 10_000;

interface Page {
  readonly name: string;
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
  code: `for (const url of urls) await fetch(url);                    // the sum of all waits
await Promise.all(urls.map((url) => fetch(url)));            // the longest of them`,
  async play(stage, { speed, port, urls }) {
    if (urls.length > 0) return await given(stage, urls);
    const second = 1000 * scale / speed;
    await using server = pages(port, second);
    const order: string[] = [];
    const sum = delays.reduce((total, delay) => total + delay, 0);
    const began = performance.now();
    await stage.live({ en: "one by one", zh: "一个一个来" }, async (scene) => {
      let t = 0;
      for (const page of server.pages) {
        await get(stage, scene, page, t, t += page.delay!);
      }
    });
    const between = performance.now();
    await stage.live({ en: "together", zh: "一起来" }, async (scene) => {
      server.inOrder();
      await Promise.all(server.pages.map(async (page) => {
        await get(stage, scene, page, 0, page.delay!);
        order.push(page.name);
        server.read();
      }));
    });
    const wanted = server.pages.toSorted((a, b) => a.delay! - b.delay!).map(({ name }) => name);
    return {
      ok: order.join() === wanted.join(),
      said: {
        en: `one by one ${sum} s, the sum; together ${Math.max(...delays)} s, the slowest one; ` +
          `they came as ${order.join(", ")}`,
        zh: `一个一个来 ${sum} 秒，是总和；一起来 ${Math.max(...delays)} 秒，是最慢的一个；` +
          `到达顺序：${order.join("、")}`,
      },
      measured: {
        "one by one, s": (between - began) / second,
        "together, s": (performance.now() - between) / second,
      },
    };
  },
});

/** Pages from elsewhere: what happened, when it happened. */
async function given(stage: Stage, urls: readonly URL[]) {
  const pages = urls.map((url, i) => ({ name: `page ${i + 1}`, url: url.href, delay: undefined }));
  const times: number[] = [];
  const titles = [{ en: "one by one", zh: "一个一个来" }, { en: "together", zh: "一起来" }];
  for (const [together, title] of titles.entries()) {
    const began = performance.now();
    await stage.live(title, async (scene) => {
      const since = () => (performance.now() - began) / 1000;
      const one = (page: Page) => get(stage, scene, page, since(), since);
      if (together === 1) await Promise.all(pages.map(one));
      else for (const page of pages) await one(page);
    });
    times.push(performance.now() - began);
  }
  const n = urls.length;
  return {
    ok: true,
    said: { en: `${n} pages were fetched, twice`, zh: `${n} 个网页各抓了两遍` },
    measured: { "one by one, ms": times[0]!, "together, ms": times[1]! },
  };
}

/** Fetches a page. @param end when it should be there, or, after that, when it was */
async function get(
  stage: Stage,
  scene: Scene,
  { name, url }: Page,
  t: number,
  end: number | (() => number),
): Promise<void> {
  scene.tells({ t, lane: name, what: "starts" });
  scene.tells({ t, lane: name, what: "waits", of: "the server" });
  const signal = AbortSignal.any([stage.signal, AbortSignal.timeout(patience)]);
  let size = 0;
  try {
    const response = await fetch(url, { signal });
    for await (const bytes of response.body ?? []) size += bytes.length;
    if (!response.ok) throw new Error(`status ${response.status}`);
  } catch (cause) {
    stage.signal.throwIfAborted();
    throw failure(url, cause);
  }
  const at = typeof end === "number" ? end : end();
  scene.tells({ t: at, lane: name, what: "runs", text: `has ${size} bytes` });
  scene.tells({ t: at, lane: name, what: "ends" });
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
      name: `page ${i + 1}`,
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
