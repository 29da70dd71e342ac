/** `barrier`: a race in rounds, where nobody begins the next before all have ended this one. */
import { Barrier } from "../../sync/mod.ts";
import type { LessonThread } from "../runner/lesson_thread.ts";
import { lesson } from "../lesson.ts";
import type { Labeled } from "../runner/primitives.ts";
import { bilingual } from "../text.ts";

const rounds = 3;

interface Args {
  readonly pace: number;
  readonly rounds: number;
  /** Which round each runner is in. */
  readonly at: Int32Array;
  readonly number: number;
}

const threadFunctions = {
  async racer(thread: LessonThread, { line }: { readonly line: Labeled<Barrier> }, args: Args) {
    const { pace, rounds, at, number } = args;
    let apart = 0;
    for (let round = 1; round <= rounds; round++) {
      await thread.step({ en: `round ${round}`, zh: `第 ${round} 轮` }, () => {
        at[number] = round;
        apart = Math.max(apart, ...at.map((other) => round - other));
      });
      await thread.sleep(pace);
      await thread.waitForBarrier(line);
    }
    return apart;
  },
  async late(thread: LessonThread, { line }: { readonly line: Labeled<Barrier> }, seconds: number) {
    await thread.sleep(seconds);
    await thread.step({ en: "breaks the barrier", zh: "打破屏障" }, () => line.primitive.abort());
  },
  async trusting(thread: LessonThread, { line }: { readonly line: Labeled<Barrier> }) {
    try {
      await thread.waitForBarrier(line);
      return "passed";
    } catch (error) {
      await thread.step({
        en: `gets an error: ${(error as Error).name}`,
        zh: `得到错误：${(error as Error).name}`,
      });
      return (error as Error).name;
    }
  },
};

export default lesson({
  idea: {
    en: `A barrier lets nobody through until all are there: the fast wait for the slow, round by
round. The last to come opens it for all, and it closes again by itself. If one of them can't
come, the others must not wait for ever: abort() breaks the barrier, and each who waits at it
gets a BrokenBarrierError.`,
    zh: `屏障要等所有人都到齐才放行：每一轮，快的等慢的。最后一个到的为大家打开它，之后它又自动
关上。如果有人来不了，不能让其余的人永远等下去：abort() 打破屏障，每个等在那里的线程都会
得到 BrokenBarrierError。`,
  },
  code: bilingual`const line = new Barrier(4);

for (const round of [1, 2, 3]) {
  run(round);
  line.wait();                    // ${{
    en: "0 to 3: who it was, in the order of coming",
    zh: "0 到 3：第几个到的",
  }}
}
line.abort();                     // ${{
    en: "who waits gets a BrokenBarrierError",
    zh: "等在那里的都得到 BrokenBarrierError",
  }}`,
  threads: { default: 4, min: 2, max: 19 },
  kinds: ["worker", "task"],
  threadFunctions,
  async run(runner, { threads }) {
    const apart = await runner.runScheduled({
      en: `${threads} runners, ${rounds} rounds`,
      zh: `${threads} 个选手，${rounds} 轮`,
    }, async (main) => {
      const line = main.register("line", new Barrier(threads));
      const at = new Int32Array(new SharedArrayBuffer(4 * threads));
      const started = [];
      for (let number = 0; number < threads; number++) {
        const args = { pace: Math.round(10 + 40 * number / threads) / 100, rounds, at, number };
        started.push(
          await main.start(racerName(number + 1), threadFunctions.racer, { line }, args),
        );
      }
      await main.join(started);
      return Math.max(...started.map((thread) => Number(main.result(thread))));
    });
    const errors = await runner.runScheduled(
      { en: "one does not come", zh: "有一个来不了" },
      async (main) => {
        const line = main.register("line", new Barrier(threads));
        const started = [];
        for (let i = 1; i < threads; i++) {
          started.push(
            await main.start(racerName(i), threadFunctions.trusting, { line }, undefined),
          );
        }
        const late = await main.start(
          { en: "late", zh: "迟到者" },
          threadFunctions.late,
          { line },
          0.5,
        );
        await main.join([...started, late]);
        return started.map((thread) => String(main.result(thread)));
      },
    );
    const broken = errors.every((name) => name === "BrokenBarrierError");
    return {
      ok: apart === 1 && broken,
      summary: {
        en: `nobody was more than ${apart} round ahead; when one did not come, ` +
          `${errors.length} who waited got a ${errors[0]}`,
        zh: `没有人领先超过 ${apart} 轮；有人来不了时，${errors.length} 个等待者都得到 ${
          errors[0]
        }`,
      },
    };
  },
});

function racerName(number: number) {
  return { en: `runner-${number}`, zh: `选手-${number}` };
}
