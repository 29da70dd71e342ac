/** `daemon`: the four outcomes for a thread that is a daemon or not, and joined or not. */
import type { Lesson } from "../lesson.ts";
import { bilingual } from "../text.ts";

const functions = {
  /** Sets `done` to 1 after its work. */
  async work(thread, _: Record<never, never>, { done }: { readonly done: Int32Array }) {
    await thread.print(bilingual`begins to work || 开始干活`);
    await thread.sleep(0.5);
    await thread.print(bilingual`has finished its work || 干完了`);
    done[0] = 1;
  },
} satisfies Lesson["functions"];

export default {
  idea: {
    en: `A program ends when its last thread has ended, and main is only one of them. Daemons do
not count: when only daemons are left, the program ends and terminates them wherever they are.
To join a thread is to wait for it, daemon or not. So only one of the four cases loses work: a
daemon that is not joined. Make a thread a daemon if it may stop at any point.`,
    zh: `最后一个线程结束，程序才结束，而主线程只是其中之一。守护线程不算数：只剩守护线程时
程序就结束，它们做到哪里就断在哪里。join 就是等那个线程结束，不管它是不是守护线程。所以
四种情况里只有一种会丢掉线程的工作：没有人 join 的守护线程。随时可以中断的事情才适合交给
守护线程。`,
  },
  code: `const t = await start("t", work, { daemon: true });
// [[join | daemon | what happens to t when main ends || join | 守护 | main 结束后 t 怎样]]
// [[no   | no     | the program waits for it || 否   | 否   | 程序等它做完]]
// [[no   | yes    | it is terminated || 否   | 是   | 它被中断]]
// [[yes  | no     | main waits for it || 是   | 否   | main 等它做完]]
// [[yes  | yes    | main waits for it || 是   | 是   | main 等它做完]]`,
  kinds: ["worker", "task"],
  functions,
  async run(runner) {
    const outcomes: string[] = [];
    for (const daemon of [false, true]) {
      for (const join of [false, true]) {
        const en = `${daemon ? "a daemon" : "no daemon"}, ${join ? "joined" : "not joined"}`;
        const zh = `${daemon ? "守护线程" : "普通线程"}，${join ? "join" : "不 join"}`;
        const done = new Int32Array(new SharedArrayBuffer(4));
        await runner.runScheduled({ en, zh }, async (main) => {
          const thread = await main.start("t", functions.work, {}, { done }, { daemon });
          await main.sleep(0.1);
          if (join) await main.join([thread]);
          await main.print(bilingual`main ends || main 结束了`);
        });
        outcomes.push(done[0] === 1 ? "done" : "terminated");
      }
    }
    return {
      ok: outcomes.join(", ") === "done, done, terminated, done",
      summary: bilingual`no daemon: ${outcomes[0]}, joined: ${outcomes[1]}; a daemon:
        ${outcomes[2]}, joined: ${outcomes[3]} ||
        普通线程：${inChinese(outcomes[0]!)}，join：${inChinese(outcomes[1]!)}；守护线程：
        ${inChinese(outcomes[2]!)}，join：${inChinese(outcomes[3]!)}`,
    };
  },
} satisfies Lesson;

function inChinese(outcome: string): string {
  return outcome === "done" ? "做完了" : "被中断";
}
