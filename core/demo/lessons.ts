/** The lessons, in the order in which they are best read; each is loaded when it is played. */
import type { Text } from "./events.ts";
import type { Lesson } from "./lesson.ts";

interface Row {
  /** What it shows, in one line. */
  readonly brief: Text;
  readonly load: () => Promise<{ readonly default: Lesson }>;
}

export const lessons: Readonly<Record<string, Row>> = {
  lock: {
    brief: {
      en: "a hundred threads subtract one: without a lock 99 is left, with it 0",
      zh: "一百个线程各减一：不加锁剩 99，加锁剩 0",
    },
    load: () => import("./lock.ts"),
  },
  deadlock: {
    brief: {
      en: "A then B, B then A: the graph when it sticks, and three cures",
      zh: "先 A 后 B，先 B 后 A：卡住时的等待图，以及三种解法",
    },
    load: () => import("./deadlock.ts"),
  },
  semaphore: {
    brief: {
      en: "twenty tasks, five at a time; and how that differs from a pool",
      zh: "二十个任务，每次五个；以及它与线程池的区别",
    },
    load: () => import("./semaphore.ts"),
  },
};

/** Loads a lesson of the table. */
export async function load(name: string): Promise<Lesson> {
  return (await lessons[name]!.load()).default;
}
