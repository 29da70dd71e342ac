/**
 * `event`: workers wait until services are up, and print while they wait. The services are two
 * threads that take a while; or, with addresses, real ones (wait_for.ts).
 */
import { Event } from "../sync/mod.ts";
import type { Agent } from "./agent.ts";
import { lesson } from "./lesson.ts";
import type { Prop } from "./props.ts";
import { waitForServices } from "./wait_for.ts";

const services = [
  { name: "mysql", takes: 1.3, label: "MySQL" },
  { name: "redis", takes: 0.7, label: "Redis" },
] as const;

/** A worker looks up from its waiting this often, in seconds. */
const patience = 0.5;

const roles = {
  async service(me: Agent, { up }: { readonly up: Prop<Event> }, takes: number) {
    await me.says("is starting");
    await me.sleeps(takes);
    await me.says("listens");
    await me.set(up);
  },
  async worker(me: Agent, ups: Readonly<Record<string, Prop<Event>>>) {
    let waits = 0;
    for (const up of Object.values(ups)) {
      while (!await me.waitFor(up, { timeout: patience })) {
        waits++;
        await me.says(`still waiting for ${up.label}`);
      }
    }
    await me.says("all is up: connects");
    return waits;
  },
};

export default lesson({
  idea: {
    en: `An event is a flag that threads wait for. Until somebody sets it, wait() blocks; once it is
set, everybody goes on, also those who come later. So nobody polls, and nobody comes too
early. With a timeout wait() says whether the flag is up, so that a thread can print a line
and wait again. --wait-for HOST:PORT does this for a service that is really there.`,
    zh: `事件就是一面让线程等待的旗子。没有人 set 之前，wait() 一直阻塞；一旦 set，所有等的线程
都继续，后来的线程也不再等。这样既不用轮询，也不会抢跑。wait() 带上超时会告诉你旗子升起
来没有，线程就可以先打印一行，再接着等。--wait-for HOST:PORT 对真正的服务做同样的事。`,
  },
  code: `const up = new Event();

while (!up.wait({ timeout: 0.5 })) print("still waiting for MySQL");    // a worker
connect();

up.set();                         // who starts the service: everybody goes on`,
  threads: { usual: 3, least: 1, most: 18 },
  kinds: ["worker", "task"],
  roles,
  async play(stage, { threads, waitFor, timeout }) {
    if (waitFor.length > 0) return await waitForServices(stage, waitFor, timeout);
    const { early, waits } = await stage.act({
      en: `${threads} workers wait for MySQL and Redis`,
      zh: `${threads} 个工作线程等 MySQL 和 Redis`,
    }, async (main) => {
      const ups = Object.fromEntries(
        services.map(({ name, label }) => [name, main.prop(label, new Event())]),
      );
      const started = [];
      for (let i = 1; i <= threads; i++) {
        started.push(await main.start(`worker-${i}`, roles.worker, ups, undefined));
      }
      for (const { name, takes } of services) {
        await main.start(name, roles.service, { up: ups[name]! }, takes);
      }
      const early = started.filter((thread) => !main.isAlive(thread)).length;
      await main.join(started);
      const set = Object.values(ups).every(({ it }) => it.isSet());
      return { early: set ? early : -1, waits: started.map((each) => Number(main.result(each))) };
    });
    const patient = waits.every((n) => n > 0);
    return {
      ok: early === 0 && patient,
      said: {
        en: `${threads} workers connected once both were up, and not before; ` +
          `they said that they wait ${waits.join(", ")} times`,
        zh: `${threads} 个工作线程在两个服务都就绪后才连接；各自打印等待的次数：${
          waits.join("、")
        }`,
      },
    };
  },
});
