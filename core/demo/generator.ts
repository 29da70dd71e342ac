/** `generator`: a function that gives its results one by one, against one that gives them all. */
import { lesson } from "./lesson.ts";

const shown = 4;
const measured = 300_000;

function* squares(n: number): Generator<number> {
  for (let i = 1; i <= n; i++) yield i * i;
}

function allSquares(n: number): number[] {
  const all: number[] = [];
  for (let i = 1; i <= n; i++) all.push(i * i);
  return all;
}

const square = (i: number) => i * i;

/** How many nanoseconds one takes. */
function time(work: () => number): { readonly sum: number; readonly ns: number } {
  work(); // once, so that it is compiled
  const began = performance.now();
  const sum = work();
  return { sum, ns: (performance.now() - began) * 1e6 / measured };
}

export default lesson({
  idea: {
    en: `A call runs to its end before its caller goes on; a generator runs to its next yield, gives
one result, and stops there until it is asked again. So its results cost no memory, it may
have infinitely many, and the caller may stop in the middle. A yield costs more than a call:
the generator's state is put aside and taken up again. The difference is measured here; it
is nanoseconds, and worth it where the list would be long.`,
    zh: `普通调用要一直跑到结束，调用者才能继续；生成器只跑到下一个 yield，交出一个结果就停在那里，
等下一次来要。所以结果不占内存，可以有无穷多个，调用者也可以中途不要了。一次 yield 比一次调用
贵：要把生成器的状态放下再拿起来。这里量出了差别：只是纳秒级，列表很长时很值得。`,
  },
  code: `function* squares(n) { for (let i = 1; i <= n; i++) yield i * i; }

for (const square of squares(1e9)) if (square > 50) break;   // made as they are asked for
allSquares(1e9);                                             // made first, all of them`,
  async play(stage) {
    const order: string[] = [];
    await stage.live({ en: "yield", zh: "yield" }, (scene) => {
      let t = 0;
      const tells = (lane: string, text: string) => {
        order.push(lane);
        scene.tells({ t, lane, what: "runs", text });
      };
      scene.tells({ t, lane: "caller", what: "starts" });
      scene.tells({ t, lane: "generator", what: "starts" });
      for (const square of squares(shown)) {
        tells("generator", `yields ${square}`);
        t += 0.1;
        scene.tells({ t, lane: "generator", what: "waits", of: "next()" });
        tells("caller", `uses ${square}`);
        t += 0.1;
        scene.tells({ t, lane: "caller", what: "waits", of: "a result" });
      }
      for (const lane of ["generator", "caller"]) scene.tells({ t, lane, what: "ends" });
      return Promise.resolve();
    });
    await stage.live({ en: "a call", zh: "普通调用" }, (scene) => {
      let t = 0;
      scene.tells({ t, lane: "caller", what: "starts" });
      scene.tells({ t, lane: "caller", what: "waits", of: "all results" });
      scene.tells({ t, lane: "function", what: "starts" });
      const all = allSquares(shown);
      for (const square of all) {
        scene.tells({ t, lane: "function", what: "runs", text: `makes ${square}` });
        t += 0.1;
      }
      scene.tells({ t, lane: "function", what: "ends", text: `returns all ${all.length}` });
      for (const square of all) {
        scene.tells({ t, lane: "caller", what: "runs", text: `uses ${square}` });
        t += 0.1;
      }
      scene.tells({ t, lane: "caller", what: "ends" });
      return Promise.resolve();
    });
    const yielded = time(() => {
      let sum = 0;
      for (const each of squares(measured)) sum += each;
      return sum;
    });
    const called = time(() => {
      let sum = 0;
      for (let i = 1; i <= measured; i++) sum += square(i);
      return sum;
    });
    const turns = order.join(" ");
    const alternate = Array(shown).fill("generator caller").join(" ");
    return {
      ok: turns === alternate && yielded.sum === called.sum,
      said: {
        en: `the generator made each of ${shown} results as it was asked for; both ways of ` +
          `${measured} gave the same sum`,
        zh: `生成器要一个做一个，共 ${shown} 个；两种办法各做 ${measured} 个，总和相同`,
      },
      measured: { "a yield, ns": yielded.ns, "a call, ns": called.ns },
    };
  },
});
