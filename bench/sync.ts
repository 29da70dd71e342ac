/**
 * Compares core/sync with bare primitives: locks with `Atomics`, queues with postMessage. The work
 * runs in workers (sync_worker.ts).
 */
import { Lock, Queue, RLock, Semaphore } from "../core/sync/mod.ts";
import type { Job } from "./sync_worker.ts";
import { spread, table } from "./table.ts";

const runs = 3;
const alone = 1_000_000;
const contended = 1_000_000;
const messages = 50_000;
const trips = 10_000;

export async function benchSync(): Promise<string> {
  return [await benchAlone(), await benchContended(), await benchQueues()].join("\n\n");
}

async function benchAlone(): Promise<string> {
  const each = async (job: () => Job) => {
    const times = await repeat(() => together([job()]));
    return spread(times.map((ms) => ms / alone * 1e6), "ns", 0);
  };
  return table("Acquire and release, without contention", ["what", "time"], [
    [
      "two Atomics.compareExchange",
      await each(() => ({ name: "atomics", words: words(), n: alone })),
    ],
    ["Lock", await each(() => ({ name: "lock", handle: new Lock().handle, n: alone }))],
    ["RLock", await each(() => ({ name: "rlock", handle: new RLock().handle, n: alone }))],
    [
      "Semaphore",
      await each(() => ({ name: "semaphore", handle: new Semaphore().handle, n: alone })),
    ],
  ]);
}

async function benchContended(): Promise<string> {
  const rows: string[][] = [];
  for (const workers of [2, 16]) {
    const n = contended / workers;
    const row = async (what: string, job: () => Job) => {
      const times = await repeat(() => together(shared(workers, job())));
      const rates = times.map((ms) => contended / ms);
      rows.push([
        what,
        `${workers}`,
        spread(times.map((ms) => ms / 1000), "s"),
        spread(rates, "/ms", 0),
      ]);
    };
    await row("Atomics, unfair", () => ({ name: "futex", words: words(), n }));
    await row("Lock, in order", () => ({ name: "lock", handle: new Lock().handle, n }));
    await row(
      "Semaphore, in order",
      () => ({ name: "semaphore", handle: new Semaphore().handle, n }),
    );
  }
  const title = `${contended.toLocaleString("en")} acquisitions of one lock, contended`;
  return table(title, ["what", "workers", "time", "rate"], rows);
}

async function benchQueues(): Promise<string> {
  const rows: string[][] = [];
  for (const [what, item] of [["a number", 5], ["1 KiB of bytes", new Uint8Array(1024)]] as const) {
    const queued = await repeat(() => {
      const { handle } = new Queue();
      return together([
        { name: "put", handle, item, n: messages },
        { name: "get", handle, n: messages },
      ]);
    });
    const posted = await repeat(() => {
      const { port1, port2 } = new MessageChannel();
      return together([
        { name: "post", port: port1, item, n: messages },
        { name: "receive", port: port2, n: messages },
      ]);
    });
    for (const [by, times] of [["Queue", queued], ["postMessage", posted]] as const) {
      rows.push([by, what, spread(times.map((ms) => messages / ms), "/ms", 0)]);
    }
  }
  const queuedTrips = await repeat(() => {
    const [to, from] = [new Queue().handle, new Queue().handle];
    return together([{ name: "ask", to, from, n: trips }, {
      name: "answer",
      to: from,
      from: to,
      n: trips,
    }]);
  });
  const posted = await repeat(() => {
    const { port1, port2 } = new MessageChannel();
    return together([
      { name: "askPort", port: port1, n: trips },
      { name: "answerPort", port: port2, n: trips },
    ]);
  });
  const bare = await repeat(() => {
    const shared = words();
    return together([
      { name: "flip", words: shared, side: 0, n: trips },
      { name: "flip", words: shared, side: 1, n: trips },
    ]);
  });
  const trip = (times: number[]) => spread(times.map((ms) => ms / trips * 1000), "µs", 1);
  return [
    table("Between two workers: throughput", ["by", "what", "items"], rows),
    table("Between two workers: there and back", ["by", "time"], [
      ["Atomics.wait and notify", trip(bare)],
      ["Queue", trip(queuedTrips)],
      ["postMessage", trip(posted)],
    ]),
  ].join("\n\n");
}

function words(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(64));
}

function shared(workers: number, job: Job): Job[] {
  return Array.from({ length: workers }, () => job);
}

async function repeat(run: () => Promise<number>): Promise<number[]> {
  const times = [];
  for (let i = 0; i < runs; i++) times.push(await run());
  return times;
}

/** Runs each job in a worker, all at once. @returns ms until the last has ended */
async function together(jobs: readonly Job[]): Promise<number> {
  const workers = jobs.map(() =>
    new Worker(new URL("./sync_worker.ts", import.meta.url), { type: "module" })
  );
  const answers = () =>
    Promise.all(workers.map((worker) =>
      new Promise((resolve, reject) => {
        worker.onmessage = resolve;
        worker.onerror = ({ message }) => reject(new Error(message));
      })
    ));
  const ready = answers();
  workers.forEach((worker, i) => {
    const job = jobs[i]!;
    worker.postMessage(job, "port" in job ? [job.port] : []);
  });
  await ready;
  const done = answers();
  const began = performance.now();
  for (const worker of workers) worker.postMessage("go");
  await done;
  const ms = performance.now() - began;
  for (const worker of workers) worker.terminate();
  return ms;
}
