/**
 * The real worker with a fault in it, in the place of the real one (_faulty.ts). By the query of its
 * URL:
 *
 *   stop=FILE    it stops dead at the point that DATA/FILE names, says so on standard error, and waits
 *                to be killed; without that file it is as any worker
 *   die-at=POINT it dies there of an uncaught error
 *   die-on=NAME  it dies of one as soon as a file of that name is in DATA/removed, which it takes away
 *   die=MS       it dies of an uncaught error between one second after its start and so many
 *                milliseconds later
 *   probe=PORT   it tries what a worker must not (_probe.ts), and writes the outcome to standard error
 *   count=1      it writes how many timers are set and how many statements were prepared to standard
 *                error, whenever that has changed
 */
import { existsSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { ToWorker } from "../../../core/serve/worker.ts";
import { arm } from "../../../core/local/vault/fault.ts";
import "../../../core/serve/worker.ts";
import { probe } from "./_probe.ts";

const asked = new URL(import.meta.url).searchParams;

const stop = asked.get("stop");
if (stop) {
  let path = "";
  addEventListener("message", ({ data: message }: MessageEvent<ToWorker>) => {
    if (message.type === "start") path = `${message.settings.data}/${stop}`;
  });
  arm((point) => {
    if (!existsSync(path) || readFileSync(path, "utf8") !== point) return;
    Deno.stderr.writeSync(new TextEncoder().encode(`reached ${point}\n`));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
}

const dieAt = asked.get("die-at");
if (dieAt) {
  arm((point) => {
    if (point !== dieAt) return;
    const error = new Error(`on purpose, at ${point}`);
    queueMicrotask(() => {
      throw error;
    });
    throw error; // nothing that comes after the point is done before
  });
}

const dieOn = asked.get("die-on");
if (dieOn) {
  addEventListener("message", ({ data: message }: MessageEvent<ToWorker>) => {
    if (message.type !== "start") return;
    const path = `${message.settings.data}/removed/${dieOn}`;
    setInterval(() => {
      if (!existsSync(path)) return;
      Deno.removeSync(path);
      throw new Error("on purpose");
    }, 5);
  });
}

const other = asked.get("probe");
if (other) {
  addEventListener("message", async ({ data: message }: MessageEvent<ToWorker>) => {
    if (message.type !== "start") return;
    const outcome = await probe({ data: message.settings.data, other: Number(other) });
    Deno.stderr.writeSync(new TextEncoder().encode(`probed ${JSON.stringify(outcome)}.\n`));
  });
}

const die = Number(asked.get("die") ?? 0);
if (die) {
  setTimeout(() => {
    throw new Error("on purpose");
  }, 1000 + Math.random() * die);
}

if (asked.has("count")) {
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  const timers = new Set<unknown>();
  globalThis.setTimeout = ((callback: (...args: unknown[]) => void, ms?: number, ...args: []) => {
    const id = setTimeout(() => {
      timers.delete(id);
      callback(...args);
    }, ms);
    timers.add(id);
    return id;
  }) as typeof setTimeout;
  globalThis.setInterval = ((callback: () => void, ms?: number) => {
    const id = setInterval(callback, ms);
    timers.add(id);
    return id;
  }) as typeof setInterval;
  const clearing = (clear: typeof clearTimeout): typeof clearTimeout => (id) => {
    timers.delete(id);
    clear(id);
  };
  globalThis.clearTimeout = clearing(clearTimeout);
  globalThis.clearInterval = clearing(clearInterval);
  let statements = 0;
  const { prepare } = DatabaseSync.prototype;
  DatabaseSync.prototype.prepare = function (...args) {
    statements += 1;
    return prepare.apply(this, args);
  };
  let last = "";
  setInterval(() => {
    const counts = `counts ${timers.size} timers, ${statements} statements\n`;
    if (counts !== last) Deno.stderr.writeSync(new TextEncoder().encode(counts));
    last = counts;
  }, 100);
}
