/** `timer`: a function that is called later, unless the timer is canceled before. */
import { Timer } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import type { Trace } from "../runner/runner.ts";
import { bilingual, joinNames, type Text } from "../text.ts";

/** The real time of a second of the lesson. */
const defaultMsPerSecond = 200;

const timers = [
  { name: bilingual`tea || 茶`, delay: 2 },
  { name: bilingual`egg || 鸡蛋`, delay: 1 },
  { name: bilingual`alarm || 闹钟`, delay: 3 },
] as const;
const [tea, , alarm] = timers;

/** Runs the timers. @returns the names of those that rang, in order */
async function runTimers(
  trace: Trace,
  msPerSecond: number,
  signal: AbortSignal,
): Promise<readonly Text[]> {
  const rang: Text[] = [];
  for (const { name, delay } of timers) {
    trace.event({ t: 0, lane: name, what: "starts" });
    const text = bilingual`for ${delay} s || ${delay} 秒`;
    trace.event({ t: 0, lane: name, what: "sleeps", text });
  }
  const started = timers.map(({ name, delay }): Timer =>
    new Timer(delay * msPerSecond / 1000, () => {
      rang.push(name);
      const text = bilingual`${name.en}: time is up || ${name.zh}：时间到`;
      trace.event({ t: delay, lane: name, what: "notes", text });
      trace.event({ t: delay, lane: name, what: "ends" });
      if (name !== tea.name) return;
      started.at(-1)!.cancel();
      const canceled = bilingual`is canceled || 被取消`;
      trace.event({ t: delay, lane: alarm.name, what: "ends", text: canceled });
    })
  );
  try {
    for (const timer of started) timer.start();
    for (const timer of started) await timer.finished.waitAsync({ signal });
  } finally {
    for (const timer of started) timer.cancel();
  }
  return rang;
}

export default {
  idea: {
    en: `A timer calls a function later, after a given time from its start. Until then, cancel()
prevents the call; afterwards it does nothing. Timers ring in the order of their times, not of
their starts. In Python each timer is a thread that first sleeps. Here the event loop of an
isolate calls the functions of all its timers, so a function that takes long delays the next
ones.`,
    zh: `定时器过一会儿才调用函数：启动之后，过那么久才调用。在那之前 cancel() 可以取消，之后再取消
就没有作用了。谁先响取决于时间，而不是启动的先后。在 Python 里，每个定时器是一个先睡一觉的线程；
在这里，一个隔离实例的定时器都由它的事件循环来调用，所以哪个函数跑得太久，后面的就会被耽误。`,
  },
  code: `const alarm = new Timer(3, () => print("[[time is up || 时间到]]"));
alarm.start();
alarm.cancel();                   // [[canceled, if it has not rung yet || 还没响就取消]]
alarm.finished.wait();            // [[it has rung or never will || 已经响过，或不会再响]]`,
  async run(runner, { speed }) {
    const msPerSecond = defaultMsPerSecond / speed;
    const rang = await runner.runRealTime(
      bilingual`three timers, one of them canceled; a second of the lesson takes ${msPerSecond}
        ms ||
        三个定时器，取消一个；课里的一秒实际是 ${msPerSecond} 毫秒`,
      (trace) => runTimers(trace, msPerSecond, runner.signal),
    );
    return {
      ok: joinNames(rang).en === "egg, tea",
      summary: bilingual`${joinNames(rang).en} rang, in this order; the alarm was canceled ||
        先后响了：${joinNames(rang).zh}；闹钟被取消了`,
    };
  },
} satisfies Lesson;
