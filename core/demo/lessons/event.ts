/**
 * `event`: workers wait until services are up, and print while they wait; then the flag itself: is
 * it set, set, clear. The services are two threads that take a while; or, with addresses, real ones
 * (wait_for.ts).
 */
import { Event } from "../../sync/mod.ts";
import type { LessonThread } from "../runner/lesson_thread.ts";
import { lesson } from "../lesson.ts";
import type { Labeled } from "../runner/primitives.ts";
import type { MainThread } from "../runner/main_thread.ts";
import type { Runner } from "../runner/runner.ts";
import { bilingual } from "../text.ts";
import { waitForServices } from "./parts/wait_for_services.ts";

const services = [
  { name: "mysql", takes: 1.3, label: "MySQL" },
  { name: "redis", takes: 0.7, label: "Redis" },
] as const;

/** A worker looks up from its waiting this often, in seconds. */
const patience = 0.5;

const threadFunctions = {
  async service(thread: LessonThread, { up }: { readonly up: Labeled<Event> }, takes: number) {
    await thread.print({ en: "is starting", zh: "正在启动" });
    await thread.sleep(takes);
    await thread.print({ en: "listens", zh: "开始监听" });
    await thread.set(up);
  },
  async worker(thread: LessonThread, ups: Readonly<Record<string, Labeled<Event>>>) {
    let waits = 0;
    for (const up of Object.values(ups)) {
      while (!await thread.waitForEvent(up, { timeout: patience })) {
        waits++;
        await thread.print({ en: `still waiting for ${up.label}`, zh: `还在等 ${up.label}` });
      }
    }
    await thread.print({ en: "all is up: connects", zh: "都就绪了：开始连接" });
    return waits;
  },
  /** Waits for the flag, for a limited time. @returns whether it was set */
  async passer(thread: LessonThread, { gate }: { readonly gate: Labeled<Event> }) {
    const passed = await thread.waitForEvent(gate, { timeout: patience });
    await thread.print(
      passed ? { en: "goes through", zh: "过去了" } : { en: "gives up", zh: "不等了" },
    );
    return passed;
  },
};

export default lesson({
  idea: {
    en: `An event is a flag that threads wait for. Until somebody sets it, wait() blocks; once it is
set, everybody goes on, also those who come later. So nobody polls, and nobody comes too
early. With a timeout wait() returns whether the flag is up, so that a thread can print a line
and wait again. isSet() only looks, and what it saw may be over a moment later; clear() lowers
the flag, and who comes from then on waits again. Those who were let go on before stay free.
--wait-for HOST:PORT does this for a service that is really there.`,
    zh: `事件就是一面让线程等待的旗子。没有人 set 之前，wait() 一直阻塞；一旦 set，所有等的线程
都继续，后来的线程也不再等。这样既不用轮询，也不会抢跑。wait() 带上超时会返回旗子升起来没有，
线程就可以先打印一行，再接着等。isSet() 只是看一眼，看到的下一刻就可能过时；clear() 把旗子
降下来，此后再来的又要等，之前已经放行的不受影响。--wait-for HOST:PORT 对真正的服务做同样的事。`,
  },
  code: bilingual`const up = new Event();

while (!up.wait({ timeout: 0.5 })) print(${{
    en: '"still waiting for MySQL"',
    zh: '"还在等 MySQL"',
  }});    // ${{ en: "a worker", zh: "工作线程" }}
connect();

up.set();                         // ${{
    en: "who starts the service: everybody goes on",
    zh: "启动服务的线程：大家都继续",
  }}
up.isSet();                       // true
up.clear();                       // ${{
    en: "who comes from now on waits",
    zh: "此后再来的又要等",
  }}`,
  threads: { default: 3, min: 1, max: 18 },
  kinds: ["worker", "task"],
  threadFunctions,
  async run(runner, { threads, waitFor, timeout }) {
    if (waitFor.length > 0) return await waitForServices(runner, waitFor, timeout);
    const { early, waits } = await startUp(runner, threads);
    const seen = await runner.runScheduled(
      { en: "the flag: is it set, set, clear", zh: "旗子：是否置位、置位、清除" },
      flag,
    );
    const patient = waits.every((n) => n > 0);
    const looks = seen.looks.join(", ");
    const passes = seen.passes.join(", ");
    return {
      ok: early === 0 && patient && looks === "false, true, false" &&
        passes === "true, true, false",
      summary: {
        en: `${threads} workers connected once both were up, and not before; ` +
          `they printed ${waits.join(", ")} times that they wait; isSet() was ${looks}: ` +
          `who waited for set() and who came later ${
            seen.passes[1] ? "passed" : "DID NOT pass"
          }, ` +
          `who came after clear() ${seen.passes[2] ? "PASSED" : "did not"}`,
        zh:
          `${threads} 个工作线程在两个服务都就绪后才连接；各自打印等待的次数：${
            waits.join("、")
          }；isSet() 依次是 ${seen.looks.join("、")}：等 set() 的和之后来的都` +
          `${seen.passes[1] ? "过去了" : "没过去"}，clear() 之后来的` +
          `${seen.passes[2] ? "居然过去了" : "没过去"}`,
      },
    };
  },
});

async function startUp(runner: Runner, threads: number) {
  return await runner.runScheduled({
    en: `${threads} workers wait for MySQL and Redis`,
    zh: `${threads} 个工作线程等 MySQL 和 Redis`,
  }, async (main) => {
    const ups = Object.fromEntries(
      services.map(({ name, label }) => [name, main.register(label, new Event())]),
    );
    const started = [];
    for (let i = 1; i <= threads; i++) {
      const name = { en: `worker-${i}`, zh: `工作线程-${i}` };
      started.push(await main.start(name, threadFunctions.worker, ups, undefined));
    }
    for (const { name, takes } of services) {
      await main.start(name, threadFunctions.service, { up: ups[name]! }, takes);
    }
    const early = started.filter((thread) => !main.isAlive(thread)).length;
    await main.join(started);
    const set = Object.values(ups).every(({ primitive }) => primitive.isSet());
    return { early: set ? early : -1, waits: started.map((each) => Number(main.result(each))) };
  });
}

/** One thread waits for the flag, one comes while it is set, one after it was cleared. */
async function flag(main: MainThread) {
  const gate = main.register("gate", new Event());
  const looks: boolean[] = [];
  const passes: boolean[] = [];
  const look = async () => {
    looks.push(await main.step((is) => `gate.isSet() = ${is}`, () => gate.primitive.isSet()));
  };
  const start = (name: string) => main.start(name, threadFunctions.passer, { gate }, undefined);
  await look();
  const early = await start("t1");
  await main.sleep(0.2);
  await main.set(gate);
  await look();
  await main.join([early]);
  passes.push(main.result(early) as boolean);
  const later = await start("t2");
  await main.join([later]);
  passes.push(main.result(later) as boolean);
  await main.clear(gate);
  await look();
  const tooLate = await start("t3");
  await main.join([tooLate]);
  passes.push(main.result(tooLate) as boolean);
  return { looks, passes };
}
