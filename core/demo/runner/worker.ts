/** A worker that lessons run in: what it runs is named to it, and found in the table of lessons. */
/// <reference lib="deno.worker" />
import { Agent } from "./lesson_thread.ts";
import type { Line } from "./protocol.ts";
import { load } from "../catalog.ts";
import type { FromIsolate, ToIsolate } from "./worker_pool.ts";
import { unpack } from "./primitives.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;
const turns = new Map<number, () => void>();
const limits = new Map<number, AbortController>();

scope.onmessage = async ({ data: message }: MessageEvent<ToIsolate>) => {
  if (message.type === "run") await run(message);
  else if (message.type === "errand") await errand(message);
  else if (message.type === "go") turns.get(message.id)?.();
  else limits.get(message.id)?.abort();
};

async function run(message: Extract<ToIsolate, { type: "run" }>): Promise<void> {
  const { id, lesson, role, name, blocking, props, args } = message;
  const agent = new Agent(name, line(id), blocking);
  try {
    const { roles } = await load(lesson);
    const result = await roles![role]!(agent, unpack(props), args);
    agent.ends({ result });
  } catch (error) {
    agent.ends({ error: reason(error) });
  } finally {
    turns.delete(id);
    limits.delete(id);
  }
}

async function errand(message: Extract<ToIsolate, { type: "errand" }>): Promise<void> {
  const { id, lesson, errand, args } = message;
  try {
    const { errands } = await load(lesson);
    const result = await errands![errand]!(args, (news) => tell({ type: "news", id, news }));
    tell({ type: "done", id, result });
  } catch (error) {
    tell({ type: "done", id, error: reason(error) });
  }
}

function line(id: number): Line {
  return {
    tell: (report) => tell({ type: "reports", id, report }),
    turn(report) {
      const { promise, resolve } = Promise.withResolvers<void>();
      turns.set(id, resolve);
      tell({ type: "reports", id, report });
      return promise;
    },
    timeout() {
      const limit = new AbortController();
      limits.set(id, limit);
      return limit.signal;
    },
  };
}

function tell(message: FromIsolate): void {
  scope.postMessage(message);
}

function reason(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
