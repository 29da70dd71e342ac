/** The catalog of lessons, in reading order. A lesson is loaded when it is run. */
import type { Lesson } from "./lesson.ts";
import type { Text } from "./text.ts";

/** A lesson, with its description in one line. */
interface CatalogEntry extends Text {
  readonly load: () => Promise<{ readonly default: Lesson }>;
}

export const lessons: Readonly<Record<string, CatalogEntry>> = {
  thread: {
    en: "two ways to start a thread, shared state, and the list of live threads",
    zh: "启动线程的两种办法；大家共用什么，还活着的有哪些",
    load: () => import("./lessons/thread.ts"),
  },
  daemon: {
    en: "a thread that is a daemon or not, and joined or not: the four outcomes",
    zh: "join 与否、守护与否：四种结果",
    load: () => import("./lessons/daemon.ts"),
  },
  echo: {
    en: "the accept loop and the talk loop of a server, over TCP and UDP",
    zh: "服务器就是两个循环：连接循环和通信循环；TCP 和 UDP",
    load: () => import("./lessons/echo.ts"),
  },
  stream: {
    en: "TCP joins and splits messages, a length separates them; UDP keeps them whole",
    zh: "TCP 会粘包、拆包，写上长度才分得开；UDP 保持完整",
    load: () => import("./lessons/stream.ts"),
  },
  editor: {
    en: "a pipeline of three threads: input, upper case, save",
    zh: "三个线程一条龙：输入、转大写、保存",
    load: () => import("./lessons/editor.ts"),
  },
  gil: {
    en: "one isolate and several workers; the interpreter's lock is not the program's",
    zh: "一个隔离实例与多个工作线程；解释器的锁不是程序的锁",
    load: () => import("./lessons/gil.ts"),
  },
  lock: {
    en: "a hundred threads subtract one: without a lock 99 is left, with a lock 0",
    zh: "一百个线程各减一：不加锁剩 99，加锁剩 0",
    load: () => import("./lessons/lock.ts"),
  },
  deadlock: {
    en: "A then B, B then A: the wait-for graph of stuck threads, and four solutions",
    zh: "先 A 后 B，先 B 后 A：卡住时的等待图，以及四种解法",
    load: () => import("./lessons/deadlock.ts"),
  },
  rlock: {
    en: "a reentrant lock, which its owner may take again",
    zh: "主人可以再次拿到的锁",
    load: () => import("./lessons/rlock.ts"),
  },
  semaphore: {
    en: "twenty tasks, five at a time; and the difference from a pool",
    zh: "二十个任务，每次五个；以及它与线程池的区别",
    load: () => import("./lessons/semaphore.ts"),
  },
  event: {
    en: "wait, set, clear: workers wait for services, or you for real ones (--wait-for)",
    zh: "wait、set、clear：工作线程等服务就绪，也可以是真实的（--wait-for）",
    load: () => import("./lessons/event.ts"),
  },
  condition: {
    en: "bakers and guests at a shelf: wait for a change of state",
    zh: "面包师和客人共用一个架子：等到情况有变",
    load: () => import("./lessons/condition.ts"),
  },
  barrier: {
    en: "rounds that begin once all threads have ended the last one",
    zh: "一轮一轮地跑：人没到齐，谁也不开始下一轮",
    load: () => import("./lessons/barrier.ts"),
  },
  timer: {
    en: "a function that is called later, unless the timer is canceled",
    zh: "过一会儿再调用的函数，可以取消",
    load: () => import("./lessons/timer.ts"),
  },
  queue: {
    en: "producers and consumers, a bound, Full and Empty, and the inside of a queue",
    zh: "生产者、消费者和上限；Full、Empty，以及内部构造",
    load: () => import("./lessons/queue.ts"),
  },
  lifo: {
    en: "the last item in is the first out",
    zh: "后进先出",
    load: () => import("./lessons/lifo.ts"),
  },
  priority: {
    en: "the most urgent item first, and equal ones in their order",
    zh: "最急的先来，同级的按先后",
    load: () => import("./lessons/priority.ts"),
  },
  join: {
    en: "a queue that counts unfinished tasks (task_done)",
    zh: "队列知道什么时候全部做完了（task_done）",
    load: () => import("./lessons/join.ts"),
  },
  generator: {
    en: "yield compared with a call, measured; and values that are sent to a generator",
    zh: "yield 与普通调用，量出差别；以及用 send 推进去的值",
    load: () => import("./lessons/generator.ts"),
  },
  greenlet: {
    en: "coroutines that switch explicitly, and pass values",
    zh: "自己决定何时切换、互相传值的协程",
    load: () => import("./lessons/greenlet.ts"),
  },
  async: {
    en: "tasks that switch only where they wait; monkey patching",
    zh: "任务在等待处切换，也只在那里切换；猴子补丁",
    load: () => import("./lessons/async.ts"),
  },
  crawl: {
    en: "six pages one by one, then together",
    zh: "六个网页，先一个一个抓，再一起抓",
    load: () => import("./lessons/crawl.ts"),
  },
  clients: {
    en: "five hundred clients at once, with several requests each to an echo server",
    zh: "五百个客户端同时连一个回显服务器，不停地问",
    load: () => import("./lessons/clients.ts"),
  },
  select: {
    en: "one isolate serves many sockets",
    zh: "一个隔离实例，许多套接字",
    load: () => import("./lessons/select.ts"),
  },
  "quota-race": {
    en: "barge's own quota: a race with check-then-add, and the exact one",
    zh: "barge 自己的配额：先检查后增加会出错，然后修好",
    load: () => import("./lessons/quota_race.ts"),
  },
};

/** @param name a key of {@link lessons} */
export async function loadLesson(name: string): Promise<Lesson> {
  return (await lessons[name]!.load()).default;
}
