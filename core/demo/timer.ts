/** `timer`: a function that is called later, unless it is cancelled before. */
import { Timer } from "../sync/mod.ts";
import { lesson } from "./lesson.ts";
import type { Scene } from "./stage.ts";

/** A second of the lesson takes so many of the clock. */
const scale = 0.2;

const timers = [
  { name: "tea", after: 2 },
  { name: "egg", after: 1 },
  { name: "alarm", after: 3 },
] as const;

/** @returns what rang, in order, and which timers were cancelled */
async function ring(scene: Scene, speed: number, signal: AbortSignal): Promise<readonly string[]> {
  const rang: string[] = [];
  for (const { name, after } of timers) {
    scene.tells({ t: 0, lane: name, what: "starts" });
    scene.tells({ t: 0, lane: name, what: "sleeps", text: `for ${after} s` });
  }
  const started = timers.map(({ name, after }) => {
    const timer = new Timer(after * scale / speed, () => {
      rang.push(name);
      scene.tells({ t: after, lane: name, what: "notes", text: `${name}: time is up` });
      scene.tells({ t: after, lane: name, what: "ends" });
      if (name !== "tea") return;
      // From here on nobody wants to be woken.
      started.at(-1)!.cancel();
      scene.tells({ t: after, lane: "alarm", what: "ends", text: "is cancelled" });
    });
    return timer;
  });
  try {
    for (const timer of started) timer.start();
    for (const timer of started) await timer.finished.waitAsync({ signal });
  } finally {
    for (const timer of started) timer.cancel();
  }
  return rang;
}

export default lesson({
  idea: {
    en:
      `A timer is a thread that sleeps first: start it, and its function is called after that time.
Until then cancel() calls it off; after that it does nothing. Timers ring in the order of
their times, not of their starts. A function that takes long holds up those behind it.`,
    zh: `定时器就是先睡一觉的线程：启动之后，过那么久才调用函数。在那之前 cancel() 可以取消，之后
再取消就没有作用了。谁先响取决于时间，而不是启动的先后。函数如果跑得太久，后面的就会被耽误。`,
  },
  code: `const alarm = new Timer(3, () => print("time is up"));
alarm.start();
alarm.cancel();                   // called off, if it has not rung yet
alarm.finished.wait();            // it has rung, or never will`,
  async play(stage, { speed }) {
    const rang = await stage.live(
      { en: "three timers, one called off", zh: "三个定时器，取消一个" },
      (scene) => ring(scene, speed, stage.signal),
    );
    return {
      ok: rang.join() === "egg,tea",
      said: {
        en: `${rang.join(", then ")} rang; the alarm was called off`,
        zh: `先后响了：${rang.join("、")}；alarm 被取消了`,
      },
    };
  },
});
