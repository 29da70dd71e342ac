/** `daemon`: does the program wait for a thread? Joined or not, daemon or not: four outcomes. */
import type { LessonThread } from "../runner/lesson_thread.ts";
import { lesson } from "../lesson.ts";
import { bilingual } from "../text.ts";

const threadFunctions = {
  /** Its work is done when `done` is 1. */
  async work(
    thread: LessonThread,
    _: Record<never, never>,
    { done }: { readonly done: Int32Array },
  ) {
    await thread.print({ en: "begins", zh: "开始干活" });
    await thread.sleep(0.5);
    await thread.print({ en: "is done", zh: "干完了" });
    done[0] = 1;
  },
};

export default lesson({
  idea: {
    en: `A program ends when its last thread has ended, and main is only one of them. A daemon does
not count: when only daemons are left the program ends, and cuts them off where they are.
To join a thread is to wait for it, whatever it is. So of the four cases one alone loses
the thread's work: a daemon that nobody joins. Make daemons of what may stop anywhere.`,
    zh: `最后一个线程结束，程序才结束，而主线程只是其中之一。守护线程不算数：只剩守护线程时
程序就结束，它们做到哪里就断在哪里。join 就是等那个线程结束，不管它是不是守护线程。所以
四种情况里只有一种会丢掉线程的工作：没有人 join 的守护线程。随时可以中断的事情才适合交给
守护线程。`,
  },
  code: bilingual`const t = await start("t", work, { daemon: true });
// ${{
    en: "join | daemon | what comes of t when main is over",
    zh: "join | 守护 | main 结束后 t 怎样",
  }}
// ${{ en: "no   | no     | the program waits for it", zh: "否   | 否   | 程序等它做完" }}
// ${{ en: "no   | yes    | it is cut off", zh: "否   | 是   | 它被中断" }}
// ${{ en: "yes  | no     | main waits for it", zh: "是   | 否   | main 等它做完" }}
// ${{ en: "yes  | yes    | main waits for it", zh: "是   | 是   | main 等它做完" }}`,
  kinds: ["worker", "task"],
  threadFunctions,
  async run(runner) {
    const outcomes: string[] = [];
    for (const daemon of [false, true]) {
      for (const join of [false, true]) {
        const what = `${daemon ? "a daemon" : "no daemon"}, ${join ? "joined" : "not joined"}`;
        const zh = `${daemon ? "守护线程" : "普通线程"}，${join ? "join" : "不 join"}`;
        const done = new Int32Array(new SharedArrayBuffer(4));
        await runner.runScheduled({ en: what, zh }, async (main) => {
          const thread = await main.start("t", threadFunctions.work, {}, { done }, { daemon });
          await main.sleep(0.1);
          if (join) await main.join([thread]);
          await main.print({ en: "main is over", zh: "main 结束了" });
        });
        outcomes.push(done[0] === 1 ? "done" : "cut off");
      }
    }
    const said = outcomes.join(", ");
    return {
      ok: said === "done, done, cut off, done",
      summary: {
        en: `no daemon: ${outcomes[0]}, joined: ${outcomes[1]}; ` +
          `a daemon: ${outcomes[2]}, joined: ${outcomes[3]}`,
        zh: `普通线程：${zh(outcomes[0]!)}，join：${zh(outcomes[1]!)}；` +
          `守护线程：${zh(outcomes[2]!)}，join：${zh(outcomes[3]!)}`,
      },
    };
  },
});

function zh(outcome: string): string {
  return outcome === "done" ? "做完了" : "被中断";
}
