/** `thread`: two ways to start one; its name, its number, whether it is alive, how many there are. */
import type { Agent } from "./agent.ts";
import { lesson } from "./lesson.ts";
import type { Main, Thread } from "./stage.ts";

/** Whom to greet, and how often. */
interface Greeting {
  readonly whom: string;
  readonly times: number;
}

/** A thread as a class, with what it needs in its fields, and a `run`. */
class Greeter {
  constructor(readonly greeting: Greeting) {}

  async run(me: Agent): Promise<number> {
    const { whom, times } = this.greeting;
    for (let i = 1; i <= times; i++) {
      await me.says(`hello ${whom}, ${i}`);
      await me.sleeps(0.1);
    }
    return times;
  }
}

const roles = {
  async greet(me: Agent, _: Record<never, never>, { whom, times }: Greeting) {
    for (let i = 1; i <= times; i++) {
      await me.says(`hello ${whom}, ${i}`);
      await me.sleeps(0.1);
    }
    return times;
  },
  async greeter(me: Agent, _: Record<never, never>, greeting: Greeting) {
    return await new Greeter(greeting).run(me);
  },
};

export default lesson({
  idea: {
    en: `A thread is a second place in the same program where code runs. There are two ways to make
one: hand it a function, or write a class whose run() it calls. It has a name and a number
of its own; it is alive from its start until its code returns; and whoever joins it waits for
that. Which of two threads is next is not yours to say: run this with another --seed.
Here a thread is a Worker: an isolate with its own heap. Only what is sent to it or lies in
shared memory is seen by both.`,
    zh: `线程就是同一个程序里另一处在跑的代码。创建线程有两种办法：交给它一个函数，或者写一个
类，由线程去调用它的 run()。每个线程有自己的名字和编号；从启动到代码返回为止它都是活着
的；对它调用 join，就是等它结束。两个线程谁先谁后由不得你：换一个 --seed 试试。
这里的线程是 Worker，即各有自己堆的 isolate：只有发过去的数据和共享内存是双方都看得到的。`,
  },
  code: `const a = await start("a", greet, { whom: "you" });          // a function
const b = await start("b", new Greeter({ whom: "me" }));     // a class with run()

alive(a);                         // true, until its code has returned
activeCount();                    // 3: main, a and b
await join([a, b]);`,
  kinds: ["worker", "task"],
  roles,
  async play(stage) {
    const facts = await stage.act(
      { en: "a function, and a class", zh: "一个函数，一个类" },
      async (main: Main) => {
        const a = await main.start("by-function", roles.greet, {}, { whom: "you", times: 3 });
        const b = await main.start("by-class", roles.greeter, {}, { whom: "me", times: 2 });
        const show = ({ id, name }: Thread, is: boolean) =>
          `name ${name}, number ${id}, ${is ? "alive" : "over"}`;
        for (const each of [a, b]) {
          await main.does((text) => text, () => show(each, main.isAlive(each)));
        }
        const during = await main.does((n) => `active count: ${n}`, () => main.activeCount());
        await main.join([a, b]);
        for (const each of [a, b]) {
          await main.does((text) => text, () => show(each, main.isAlive(each)));
        }
        const after = await main.does((n) => `active count: ${n}`, () => main.activeCount());
        const greeted = Number(main.result(a)) + Number(main.result(b));
        return { during, after, greeted };
      },
    );
    return {
      ok: facts.during === 3 && facts.after === 1 && facts.greeted === 5,
      said: {
        en: `${facts.during} threads while they ran, ${facts.after} after; ` +
          `they greeted ${facts.greeted} times`,
        zh:
          `运行时有 ${facts.during} 个线程，结束后剩 ${facts.after} 个；一共问候了 ${facts.greeted} 次`,
      },
    };
  },
});
