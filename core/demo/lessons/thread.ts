/** `thread`: two ways to start a thread, the state that threads share, and the list of live threads. */
import type { Lesson } from "../lesson.ts";
import type { LessonThread } from "../runner/lesson_thread.ts";
import type { MainThread, ThreadHandle } from "../runner/main_thread.ts";
import { bilingual, joinNames, type Name, type Text, textIn } from "../text.ts";

/** The name to greet, the number of greetings, and the shared counter of all threads. */
interface Greeting {
  readonly whom: Name;
  readonly times: number;
  readonly counter: Int32Array;
}

/** The facts that a thread returns about itself. */
interface Facts {
  readonly pid: number;
  readonly ppid: number;
  readonly greeted: number;
}

/** A thread as a class, with its data in fields. */
class Greeter {
  constructor(readonly greeting: Greeting) {}

  run(thread: LessonThread): Promise<Facts> {
    return greet(thread, this.greeting);
  }
}

async function greet(thread: LessonThread, { whom, times, counter }: Greeting): Promise<Facts> {
  for (let i = 1; i <= times; i++) {
    await thread.print(bilingual`hello ${whom} ${i} || 你好， ${whom} ${i}`);
    Atomics.add(counter, 0, 1);
    await thread.sleep(0.1);
  }
  return { pid: Deno.pid, ppid: Deno.ppid, greeted: times };
}

const functions = {
  async greet(thread, _: Record<never, never>, greeting: Greeting) {
    return await greet(thread, greeting);
  },
  async greeter(thread, _: Record<never, never>, greeting: Greeting) {
    return await new Greeter(greeting).run(thread);
  },
} satisfies Lesson["functions"];

export default {
  idea: {
    en: `A thread is a second place in the same program where code runs. There are two ways to
create one: give it a function, or write a class whose run() it calls. It has a name and a
number of its own. It is alive from its start until its code returns; to join it is to wait for
that. enumerate() lists the threads that are alive, main among them. Which of two threads runs
next is not yours to decide: run this with another --seed.
All threads of a program are in one process. They have the same process id and the same parent
(the program that started this one), the same memory, open files and current folder. When the
process ends, all of them end. Each process has all these for itself, so it costs more to
start.
Here a thread is a worker: an isolate with its own heap. Variables belong to one worker; data in
a SharedArrayBuffer is visible to all.`,
    zh: `线程就是同一个程序里另一处在跑的代码。创建线程有两种办法：交给它一个函数，或者写一个
类，由线程去调用它的 run()。每个线程有自己的名字和编号；从启动到代码返回为止它都是活着
的；对它调用 join，就是等它结束。enumerate() 列出还活着的线程，主线程也在其中。两个线程谁
先谁后由不得你：换一个 --seed 试试。
一个程序的所有线程都在同一个进程里：进程号（PID）相同，父进程（启动本程序的那个程序）也相同，
共用内存、打开的文件和当前目录；进程一结束，它们全都结束。而每个进程各有一套自己的，所以启动
进程要贵得多。
这里的线程是 Worker，即各有自己堆的隔离实例：普通变量各归各的，放在 SharedArrayBuffer 里的
数据则大家都看得到。`,
  },
  code: `const a = await start("a", greet, { whom: "you" });          // [[a function || 一个函数]]
const b = await start("b", new Greeter({ whom: "me" }));     // [[a class with run() || 带 run() 的类]]

alive(a);                         // [[true, until its code returns || 代码返回之前都是 true]]
enumerate();                      // ["main", "a", "b"]
await join([a, b]);
Deno.pid;                         // [[the same number in a, b and main || 在 a、b 和 main 里是同一个数]]
Atomics.add(counter, 0, 1);       // [[shared by all || 大家共用]]`,
  kinds: ["worker", "task"],
  functions,
  async run(runner) {
    const { during, after, counted, greeted, process } = await runner.runScheduled(
      bilingual`a function, and a class || 一个函数，一个类`,
      greetTogether,
    );
    const all = joinNames(during);
    return {
      ok: during.length === 3 && after.length === 1 && process &&
        counted === 5 && greeted === 5,
      summary: bilingual`alive while they ran: ${all.en}; afterwards: ${joinNames(after).en};
        they are in ${process ? "one process" : "SEVERAL PROCESSES"}, and counted ${counted}
        greetings in shared memory ||
        运行时活着的：${all.zh}；结束后：${joinNames(after).zh}；
        它们${process ? "同属一个进程" : "不在一个进程"}，在同一块内存里数了 ${counted} 次问候`,
      measured: [
        { name: bilingual`process id of each || 每个线程的进程号`, value: Deno.pid },
        { name: bilingual`its parent's || 父进程号`, value: Deno.ppid },
      ],
    };
  },
} satisfies Lesson;

async function greetTogether(main: MainThread) {
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const greeting = (whom: Text, times: number) => ({ whom, times, counter });
  const a = await main.start(
    bilingual`by-function || 函数`,
    functions.greet,
    {},
    greeting(bilingual`you || 你`, 3),
  );
  const b = await main.start(
    bilingual`by-class || 类`,
    functions.greeter,
    {},
    greeting(bilingual`me || 我`, 2),
  );
  const threads = [a, b];
  for (const each of threads) await printState(main, each);
  const during = await printAlive(main);
  const facts = await main.resultsOf(threads);
  for (const each of threads) await printState(main, each);
  const after = await printAlive(main);
  const process = await main.step(
    (same) =>
      bilingual`the process id and its parent are ${same ? "the same" : "NOT the same"}
      in all threads ||
      所有线程的进程号和父进程号${same ? "都相同" : "不相同"}`,
    () => facts.every(({ pid, ppid }) => pid === Deno.pid && ppid === Deno.ppid),
  );
  const counted = await main.step(
    (n) => bilingual`the shared counter is ${n} || 共用的计数是 ${n}`,
    () => counter[0]!,
  );
  const greeted = facts.reduce((sum, { greeted }) => sum + greeted, 0);
  return { during, after, process, counted, greeted };
}

async function printState(main: MainThread, { id, name }: ThreadHandle): Promise<void> {
  await main.step(
    (alive) =>
      bilingual`${textIn(name, "en")} is number ${id}, and ${alive ? "alive" : "ended"} ||
      ${textIn(name, "zh")}的编号是 ${id}，${alive ? "活着" : "已结束"}`,
    () => main.isAlive({ id, name }),
  );
}

async function printAlive(main: MainThread): Promise<readonly Name[]> {
  return await main.step(
    (names) =>
      bilingual`enumerate(): ${joinNames(names).en} (${names.length}) ||
      enumerate()：${joinNames(names).zh}（${names.length} 个）`,
    () => main.enumerate(),
  );
}
