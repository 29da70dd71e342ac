/** A program that does nothing but wait, and prints how each wait ended. */
// deno-lint-ignore-file no-console
import { Barrier, Condition, Event, Lock, Queue, Timer } from "../../../core/sync/mod.ts";

const lock = new Lock();
lock.acquire();
console.log(await lock.acquireAsync({ timeout: 0.05 }));
console.log(await new Event().waitAsync({ timeout: 0.05 }));
console.log(await new Queue().getAsync({ timeout: 0.05 }).catch(({ name }) => name));
console.log(await new Barrier(2).waitAsync({ timeout: 0.05 }).catch(({ name }) => name));
const condition = new Condition();
condition.acquire();
console.log(await condition.waitAsync({ timeout: 0.05 }));
const given = new AbortController();
setTimeout(() => given.abort(), 50);
console.log(await lock.acquireAsync({ signal: given.signal }).catch(({ name }) => name));
setTimeout(() => lock.release(), 50);
console.log(await lock.acquireAsync());
const timer = new Timer(0.05, () => console.log("called"));
timer.start();
await timer.finished.waitAsync();
const cancelled = new Timer(1e6, () => {});
cancelled.start();
cancelled.cancel();
