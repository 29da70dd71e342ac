/**
 * `event`: workers wait until services listen, and print a line now and then; then the operations
 * isSet, set and clear. The services are two threads, or real ones if the user gives addresses.
 */
import { Event } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import type { MainThread, ThreadHandle } from "../runner/main_thread.ts";
import type { Labeled } from "../runner/primitives.ts";
import type { Runner } from "../runner/runner.ts";
import { waitForServices } from "./parts/wait_for_services.ts";
import { bilingual } from "../text.ts";

const services = [
  { name: "mysql", startSeconds: 1.3, label: "MySQL" },
  { name: "redis", startSeconds: 0.7, label: "Redis" },
] as const;

const waitTimeoutSeconds = 0.5;

const functions = {
  async service(thread, { up }: { up: Labeled<Event> }, startSeconds: number) {
    await thread.print(bilingual`is starting || 正在启动`);
    await thread.sleep(startSeconds);
    await thread.print(bilingual`listens || 开始监听`);
    await thread.set(up);
  },
  async worker(thread, events: Readonly<Record<string, Labeled<Event>>>) {
    let timeouts = 0;
    for (const event of Object.values(events)) {
      while (!await thread.waitForEvent(event, { timeout: waitTimeoutSeconds })) {
        timeouts++;
        await thread.print(bilingual`still waiting for ${event.label} || 还在等 ${event.label}`);
      }
    }
    await thread.print(bilingual`all services listen: connects || 都就绪了：开始连接`);
    return timeouts;
  },
  /** Waits for the flag with a timeout. @returns whether it was set */
  async passer(thread, { gate }: { gate: Labeled<Event> }) {
    const passed = await thread.waitForEvent(gate, { timeout: waitTimeoutSeconds });
    await thread.print(passed ? bilingual`passes || 过去了` : bilingual`gives up || 不等了`);
    return passed;
  },
} satisfies Lesson["functions"];

export default {
  idea: {
    en: `An event is a flag that threads wait for. Until a thread sets it, wait() blocks; then all
waiting threads continue, and later ones do not wait. So no thread polls, and none starts too
early. With a timeout, wait() returns whether the flag is set, so that a thread can print a
line and wait again. isSet() only looks, and its answer may be outdated a moment later. clear()
lowers the flag: threads that come afterwards wait again, and those that were released are not
affected. --wait-for HOST:PORT does the same for a real service.`,
    zh: `事件就是一面让线程等待的旗子。没有人 set 之前，wait() 一直阻塞；一旦 set，所有等的线程
都继续，后来的线程也不再等。这样既不用轮询，也不会抢跑。wait() 带上超时会返回旗子升起来没有，
线程就可以先打印一行，再接着等。isSet() 只是看一眼，看到的下一刻就可能过时；clear() 把旗子
降下来，此后再来的又要等，之前已经放行的不受影响。--wait-for HOST:PORT 对真正的服务做同样的事。`,
  },
  code: `const up = new Event();

while (!up.wait({ timeout: 0.5 })) print("[[still waiting for MySQL || 还在等 MySQL]]");    // [[a worker || 工作线程]]
connect();

up.set();                         // [[the service: all waiting threads continue || 启动服务的线程：大家都继续]]
up.isSet();                       // true
up.clear();                       // [[threads that come from now on wait || 此后再来的又要等]]`,
  threads: { default: 3, min: 1, max: 18 },
  kinds: ["worker", "task"],
  functions,
  async run(runner, { threads, waitFor, timeout }) {
    if (waitFor.length > 0) return await waitForServices(runner, waitFor, timeout);
    const { early, timeouts } = await startUp(runner, threads);
    const { states, passes } = await runner.runScheduled(
      bilingual`the flag: isSet, set and clear || 旗子：是否置位、置位、清除`,
      useFlag,
    );
    const allWaited = timeouts.every((n) => n > 0);
    return {
      ok: early === 0 && allWaited && states.join() === "false,true,false" &&
        passes.join() === "true,true,false",
      summary: bilingual`${threads} workers connected once both services listened, and not
        before; they printed that they wait ${timeouts.join(", ")} times; isSet() was
        ${states.join(", ")}: the thread that waited for set() and a later one
        ${passes[1] ? "passed" : "DID NOT pass"}, one after clear()
        ${passes[2] ? "PASSED" : "did not"} ||
        ${threads} 个工作线程在两个服务都就绪后才连接；各自打印等待的次数：${timeouts.join("、")}；
        isSet() 依次是 ${states.join("、")}：
        等 set() 的和之后来的都${passes[1] ? "过去了" : "没过去"}，
        clear() 之后来的${passes[2] ? "居然过去了" : "没过去"}`,
    };
  },
} satisfies Lesson;

/**
 * Runs workers that wait for the services.
 *
 * @returns how many ended before the services started, and how often each had a timeout
 */
async function startUp(runner: Runner, threads: number) {
  const title = bilingual`${threads} workers wait for MySQL and Redis ||
    ${threads} 个工作线程等 MySQL 和 Redis`;
  return await runner.runScheduled(title, async (main) => {
    const events = Object.fromEntries(
      services.map(({ name, label }) => [name, main.register(label, new Event())]),
    );
    const name = bilingual`worker- || 工作线程-`;
    const started = await main.startEach(threads, name, functions.worker, events);
    for (const { name, startSeconds } of services) {
      await main.start(name, functions.service, { up: events[name]! }, startSeconds);
    }
    const early = started.filter((thread) => !main.isAlive(thread)).length;
    return { early, timeouts: await main.resultsOf(started) };
  });
}

/**
 * Starts a thread before set(), one after it, and one after clear().
 *
 * @returns the results of isSet(), and whether each thread passed
 */
async function useFlag(main: MainThread) {
  const gate = main.register("gate", new Event());
  const states: boolean[] = [];
  const passes: boolean[] = [];
  const look = async () => {
    states.push(
      await main.step((isSet) => `gate.isSet() = ${isSet}`, () => gate.primitive.isSet()),
    );
  };
  const start = (name: string) => main.start(name, functions.passer, { gate });
  const join = async (thread: ThreadHandle<boolean>) => {
    passes.push(...await main.resultsOf([thread]));
  };
  await look();
  const early = await start("t1");
  await main.sleep(0.2);
  await main.set(gate);
  await look();
  await join(early);
  await join(await start("t2"));
  await main.clear(gate);
  await look();
  await join(await start("t3"));
  return { states, passes };
}
