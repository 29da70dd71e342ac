/** `editor`: a pipeline of three threads, which read lines, convert them to upper case and save them. */
import { BargeError } from "../../error.ts";
import { Queue } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import type { Labeled } from "../runner/primitives.ts";
import { bilingual, formatValue } from "../text.ts";

const lines = ["n = n - 1", "lock.hold()", "put(item)", "x = get()"];

/** The mark after the last line. */
const endOfLines = null;
type Line = string | typeof endOfLines;
type Pipe = { readonly from: Labeled<Queue>; readonly to: Labeled<Queue> };

const functions = {
  async input(thread, { to }: { to: Labeled<Queue> }, lines: readonly string[]) {
    for (const line of lines) {
      await thread.print(line);
      await thread.put(to, line);
      await thread.sleep(0.2);
    }
    await thread.put(to, endOfLines);
  },
  async upper(thread, { from, to }: Pipe) {
    for (;;) {
      const line = await thread.get<Line>(from);
      await thread.put(to, line?.toUpperCase() ?? endOfLines);
      if (line === endOfLines) return;
    }
  },
  async save(thread, { from }: { from: Labeled<Queue> }, path: string) {
    for (;;) {
      const line = await thread.get<Line>(from);
      if (line === endOfLines) return;
      await thread.step(
        bilingual`saves ${formatValue(line)} || 保存 ${formatValue(line)}`,
        () => Deno.writeTextFile(path, `${line}\n`, { append: true }),
      );
    }
  },
} satisfies Lesson["functions"];

export default {
  idea: {
    en: `A pipeline of three stages has a thread for each stage, and a queue between two stages:
while one line is saved, the next is converted and the one after that is typed. A stage does
not know the others, only the queues that its lines come from and go to. The end is an item
like any other (here null): each stage passes it on, and ends.`,
    zh: `三个阶段，各用一个线程，相邻两个之间放一个队列：上一行在保存时，下一行在转换，再下一行正
在输入。谁也不认识谁，只知道从哪儿拿、往哪儿放。“结束”也是一条普通消息（这里是 null）：谁收到就往
下传，然后自己结束。`,
  },
  code: `const [typed, changed] = [new Queue(2), new Queue(2)];

for (const line of lines) typed.put(line);                  // [[thread 1 || 线程一]]
for (;;) changed.put(typed.get().toUpperCase());            // [[thread 2 || 线程二]]
for (;;) append(path, changed.get());                       // [[thread 3 || 线程三]]`,
  kinds: ["worker", "task"],
  functions,
  async run(runner) {
    const path = await makeTempFile();
    try {
      await runner.runScheduled(
        bilingual`input, upper, save || 输入、转大写、保存`,
        async (main) => {
          const typed = main.register("typed", new Queue(2));
          const changed = main.register("changed", new Queue(2));
          await main.start(bilingual`input || 输入`, functions.input, { to: typed }, lines);
          const pipe = { from: typed, to: changed };
          await main.start(bilingual`upper || 转大写`, functions.upper, pipe);
          const from = { from: changed };
          const save = await main.start(bilingual`save || 保存`, functions.save, from, path);
          await main.join([save]);
        },
      );
      const saved = await Deno.readTextFile(path);
      const wanted = lines.map((line) => `${line.toUpperCase()}\n`).join("");
      return {
        ok: saved === wanted,
        summary: bilingual`${saved.split("\n").length - 1} lines were saved, in upper case and in
          order ||
          保存了 ${saved.split("\n").length - 1} 行，全部大写，顺序不变`,
      };
    } finally {
      await Deno.remove(path);
    }
  },
} satisfies Lesson;

async function makeTempFile(): Promise<string> {
  try {
    return await Deno.makeTempFile({ prefix: "barge-demo-" });
  } catch (cause) {
    throw new BargeError("io", "cannot create a temporary file", { op: "demo editor", cause });
  }
}
