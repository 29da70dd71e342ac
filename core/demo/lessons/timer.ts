/** `timer`: a function that is called later, unless it is cancelled before. */
import { Timer } from "../../sync/mod.ts";
import { lesson } from "../lesson.ts";
import type { Trace } from "../runner/runner.ts";
import { bilingual, joinNames, type Text } from "../text.ts";

/** A second of the lesson takes so many of the clock. */
const scale = 0.2;

const timers = [
  { name: { en: "tea", zh: "茶" }, after: 2 },
  { name: { en: "egg", zh: "鸡蛋" }, after: 1 },
  { name: { en: "alarm", zh: "闹钟" }, after: 3 },
] as const;
const [tea, , alarm] = timers;

/** @returns what rang, in order, and which timers were cancelled */
async function ring(trace: Trace, speed: number, signal: AbortSignal): Promise<readonly Text[]> {
  const rang: Text[] = [];
  for (const { name, after } of timers) {
    trace.event({ t: 0, lane: name, what: "starts" });
    trace.event({
      t: 0,
      lane: name,
      what: "sleeps",
      text: { en: `for ${after} s`, zh: `${after} 秒` },
    });
  }
  const started = timers.map(({ name, after }) => {
    const timer = new Timer(after * scale / speed, () => {
      rang.push(name);
      trace.event({
        t: after,
        lane: name,
        what: "notes",
        text: { en: `${name.en}: time is up`, zh: `${name.zh}：时间到` },
      });
      trace.event({ t: after, lane: name, what: "ends" });
      if (name !== tea.name) return;
      // From here on nobody wants to be woken.
      started.at(-1)!.cancel();
      trace.event({
        t: after,
        lane: alarm.name,
        what: "ends",
        text: { en: "is cancelled", zh: "被取消" },
      });
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
    en: `A timer calls a function later: start it, and the function is called after that time. Until
then cancel() calls it off; after that it does nothing. Timers ring in the order of their
times, not of their starts. In Python each timer is a thread that sleeps first. Here all timers
of an isolate ring in its event loop, so a function that takes long holds up those behind it.`,
    zh: `定时器过一会儿才调用函数：启动之后，过那么久才调用。在那之前 cancel() 可以取消，之后再取消
就没有作用了。谁先响取决于时间，而不是启动的先后。在 Python 里，每个定时器是一个先睡一觉的线程；
在这里，一个隔离实例的定时器都由它的事件循环来调用，所以哪个函数跑得太久，后面的就会被耽误。`,
  },
  code: bilingual`const alarm = new Timer(3, () => print(${{
    en: '"time is up"',
    zh: '"时间到"',
  }}));
alarm.start();
alarm.cancel();                   // ${{
    en: "called off, if it has not rung yet",
    zh: "还没响就取消",
  }}
alarm.finished.wait();            // ${{
    en: "it has rung, or never will",
    zh: "已经响过，或不会再响",
  }}`,
  async run(runner, { speed }) {
    const ms = 1000 * scale / speed;
    const rang = await runner.runRealTime(
      {
        en: `three timers, one called off; a second of the lesson takes ${ms} ms`,
        zh: `三个定时器，取消一个；课里的一秒实际是 ${ms} 毫秒`,
      },
      (trace) => ring(trace, speed, runner.signal),
    );
    return {
      ok: joinNames(rang).en === "egg, tea",
      summary: {
        en: `${joinNames(rang).en} rang, in this order; the alarm was called off`,
        zh: `先后响了：${joinNames(rang).zh}；闹钟被取消了`,
      },
    };
  },
});
