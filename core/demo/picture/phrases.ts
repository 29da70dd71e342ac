/** The words around a lesson's pictures: events, legends, clocks, verdicts. */
import type { Clock, SpokenEvent } from "../trace.ts";
import type { Lang, Text } from "../text.ts";

/** Words that every lesson needs. */
export const words = {
  runs: { en: "runs", zh: "运行" },
  sleeps: { en: "sleeps", zh: "睡眠" },
  waitsForThreads: { en: "waits for threads to end", zh: "等待线程结束" },
  both: { en: "both at once", zh: "两者同时" },
  ok: { en: "ok", zh: "通过" },
  notShown: { en: "NOT SHOWN", zh: "没有演示出来" },
  printed: { en: "prints a line", zh: "打印一行" },
} as const satisfies Record<string, Text>;

/** The captions for the times in an act's picture. */
export const clocks: Readonly<Record<Clock, Text>> = {
  lesson: {
    en: "times: the lesson's own clock, on which sleeps cost nothing; not measured",
    zh: "时间：本课自己的时钟，睡眠不花真实时间；不是测量值",
  },
  staged: {
    en: "times: staged, to show the order; not measured",
    zh: "时间：为展示先后而编排；不是测量值",
  },
  measured: { en: "times: measured", zh: "时间：实测" },
};

export function has(of: string): Text {
  return { en: `has ${of}`, zh: `拿着 ${of}` };
}

export function waitsFor(of: string): Text {
  return { en: `waits for ${of}`, zh: spaced(`等待 ${of}`) };
}

/** Takes out spaces that Chinese has none of: beside its punctuation, and before what is waited for. */
function spaced(zh: string): string {
  return zh.replace(/ ?([“”，。：；！？（）、]) ?/g, "$1").replace(
    /^等待 (?=\p{Script=Han})/u,
    "等待",
  );
}

/** Returns the note for omitted lanes or events. */
export function more(n: number): Text {
  return { en: `(${n} more)`, zh: `（还有 ${n} 个）` };
}

/** Formats a number of seconds. */
export function seconds(n: number | string): Text {
  return { en: `${n} s`, zh: `${n} 秒` };
}

/**
 * Describes an event, without its thread and time.
 *
 * @example
 * ```ts
 * import { described } from "./phrases.ts";
 * const event = { what: "waits", of: "A" } as const;
 * if (described(event, "en") !== "waits for A") throw new Error(described(event, "en"));
 * if (described(event, "zh") !== "等待 A") throw new Error(described(event, "zh"));
 * const data = described({ what: "waits", of: "数据" }, "zh");
 * if (data !== "等待数据") throw new Error(data);
 * ```
 */
export function described(
  event: Pick<SpokenEvent, "what" | "of" | "text">,
  lang: Lang,
): string {
  return lang === "zh" ? spaced(sentence(event, lang)) : sentence(event, lang);
}

function sentence(
  { what, of = "", text }: Pick<SpokenEvent, "what" | "of" | "text">,
  lang: Lang,
): string {
  const zh = lang === "zh";
  const detail = text ? `${zh ? "，" : ", "}${text}` : "";
  switch (what) {
    case "holds":
      return (zh ? `拿到 ${of}` : `has ${of}`) + detail;
    case "releases":
      return (zh ? `归还 ${of}` : `gives ${of} back`) + detail;
    case "waits":
      return waitsFor(of)[lang] + detail;
    case "sleeps":
      return [words.sleeps[lang], text].filter(Boolean).join(" ");
    case "notes":
      return zh ? `打印：${text}` : `prints: ${text}`;
    case "runs":
      return text ?? (zh ? "继续" : "goes on");
    case "starts":
      return (zh ? "开始" : "starts") + detail;
    case "ends":
      return (zh ? "结束" : "ends") + detail;
  }
}
