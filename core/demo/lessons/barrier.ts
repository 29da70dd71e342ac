/** `barrier`: a race in rounds, in which all runners end a round before one begins the next. */
import { Barrier } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import type { Labeled } from "../runner/primitives.ts";
import { bilingual } from "../text.ts";

const rounds = 3;

interface RacerArgs {
  readonly secondsPerRound: number;
  /** The index of the runner, from 0. */
  readonly index: number;
  /** The current round of each runner. */
  readonly current: Int32Array;
}

const functions = {
  /** @returns the highest number of rounds that it was ahead of another runner */
  async racer(thread, { line }: { line: Labeled<Barrier> }, args: RacerArgs) {
    const { secondsPerRound, index, current } = args;
    let maxLead = 0;
    for (let round = 1; round <= rounds; round++) {
      await thread.step(bilingual`round ${round} || 第 ${round} 轮`, () => {
        current[index] = round;
        maxLead = Math.max(maxLead, ...current.map((other) => round - other));
      });
      await thread.sleep(secondsPerRound);
      await thread.waitForBarrier(line);
    }
    return maxLead;
  },
  async breaker(thread, { line }: { line: Labeled<Barrier> }, seconds: number) {
    await thread.sleep(seconds);
    await thread.step(bilingual`breaks the barrier || 打破屏障`, () => line.primitive.abort());
  },
  async waiter(thread, { line }: { line: Labeled<Barrier> }) {
    try {
      await thread.waitForBarrier(line);
      return "passed";
    } catch (error) {
      await thread.step(bilingual`gets an error: ${(error as Error).name} ||
        得到错误：${(error as Error).name}`);
      return (error as Error).name;
    }
  },
} satisfies Lesson["functions"];

export default {
  idea: {
    en: `A barrier lets no thread through until all have arrived: in each round, the fast wait for
the slow. The last one to arrive opens it for all, and then it closes again by itself. If one
of them cannot come, the others must not wait forever: abort() breaks the barrier, and each
thread that waits there gets a BrokenBarrierError.`,
    zh: `屏障要等所有人都到齐才放行：每一轮，快的等慢的。最后一个到的为大家打开它，之后它又自动
关上。如果有人来不了，不能让其余的人永远等下去：abort() 打破屏障，每个等在那里的线程都会
得到 BrokenBarrierError。`,
  },
  code: `const line = new Barrier(4);

for (const round of [1, 2, 3]) {
  run(round);
  line.wait();                    // [[0 to 3: its number in the order of arrival || 0 到 3：第几个到的]]
}
line.abort();                     // [[waiting threads get a BrokenBarrierError || 等在那里的都得到 BrokenBarrierError]]`,
  threads: { default: 4, min: 2, max: 19 },
  kinds: ["worker", "task"],
  functions,
  async run(runner, { threads }) {
    const racers = bilingual`runner- || 选手-`;
    const title =
      bilingual`${threads} runners, ${rounds} rounds || ${threads} 个选手，${rounds} 轮`;
    const maxLead = await runner.runScheduled(title, async (main) => {
      const line = main.register("line", new Barrier(threads));
      const current = new Int32Array(new SharedArrayBuffer(4 * threads));
      const started = await main.startEach(threads, racers, functions.racer, { line }, (number) => {
        const index = number - 1;
        return { secondsPerRound: Math.round(10 + 40 * index / threads) / 100, index, current };
      });
      return Math.max(...await main.resultsOf(started));
    });
    const broken = bilingual`one does not come || 有一个来不了`;
    const errors = await runner.runScheduled(broken, async (main) => {
      const line = main.register("line", new Barrier(threads));
      const started = await main.startEach(threads - 1, racers, functions.waiter, { line });
      const late = bilingual`late || 迟到者`;
      const breaker = await main.start(late, functions.breaker, { line }, 0.5);
      return (await main.resultsOf<unknown>([...started, breaker])).slice(0, -1) as string[];
    });
    return {
      ok: maxLead === 1 && errors.every((name) => name === "BrokenBarrierError"),
      summary: bilingual`no runner was more than ${maxLead} round ahead; when one did not come,
        ${errors.length} waiting threads got a ${errors[0]} ||
        没有人领先超过 ${maxLead} 轮；有人来不了时，${errors.length} 个等待者都得到 ${errors[0]}`,
    };
  },
} satisfies Lesson;
