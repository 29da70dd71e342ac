/**
 * A worker with a fault, in place of the real one (_faulty.ts). The query of its URL chooses the fault:
 *
 *   stop=FILE    stops at the point that DATA/FILE names, reports it on standard error, and waits for a
 *                kill; without that file it runs as usual
 *   die-at=FILE  dies at the point that DATA/FILE names, of an uncaught error; without that file it runs as usual
 *   die-on=NAME  dies when a file of that name is in DATA/removed, and removes the file
 *   die=MS       dies between one second after its start and that many milliseconds later
 *   probe=PORT   tries what a worker must not do (_probe.ts), and writes the outcome to standard error
 *   count=1      writes the numbers of timers and prepared statements to standard error on each change
 */
import { existsSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { ToWorker } from "../../../core/serve/worker.ts";
import { arm } from "../../../core/storage/fault.ts";
import "../../../core/serve/worker.ts";
import { probe } from "./_probe.ts";
import { dataOf } from "./_ground.ts";

const asked = new URL(import.meta.url).searchParams;

/** Calls `at` when the worker reaches the point that a file in the data directory names. */
function armByFile(file: string, at: (point: string) => void): void {
  let path = "";
  addEventListener("message", ({ data: message }: MessageEvent<ToWorker>) => {
    if (message.type === "start") path = `${dataOf(message.settings)}/${file}`;
  });
  arm((point) => {
    if (existsSync(path) && readFileSync(path, "utf8") === point) at(point);
  });
}

const stop = asked.get("stop");
if (stop) {
  armByFile(stop, (point) => {
    Deno.stderr.writeSync(new TextEncoder().encode(`reached ${point}\n`));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
}

const dieAt = asked.get("die-at");
if (dieAt) {
  armByFile(dieAt, (point) => {
    const error = new Error(`on purpose, at ${point}`);
    queueMicrotask(() => {
      throw error;
    });
    throw error; // nothing after the point has happened
  });
}

const dieOn = asked.get("die-on");
if (dieOn) {
  addEventListener("message", ({ data: message }: MessageEvent<ToWorker>) => {
    if (message.type !== "start") return;
    const path = `${dataOf(message.settings)}/removed/${dieOn}`;
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
    const outcome = await probe({ data: dataOf(message.settings), other: Number(other) });
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
