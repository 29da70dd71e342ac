/** Texts in the languages of the lessons, and names that are the same in all of them. */

/** The languages of the lessons. */
export type Lang = "en" | "zh";

/** The same sentence in each language. */
export type Text = Readonly<Record<Lang, string>>;

/** A name from the code, the same in every language; or words. */
export type Name = string | Text;

const langs: readonly Lang[] = ["en", "zh"];

/**
 * Returns a name or text in one language.
 *
 * @example
 * ```ts
 * import { textIn } from "./text.ts";
 * const data = { en: "data", zh: "数据" };
 * if (textIn("lock", "zh") !== "lock" || textIn(data, "zh") !== "数据") throw new Error();
 * ```
 */
export function textIn(name: Name, lang: Lang): string {
  return typeof name === "string" ? name : name[lang];
}

/** Returns the result of `make` for each language. */
export function inEachLanguage(make: (lang: Lang) => string): Text {
  return { en: make("en"), zh: make("zh") };
}

/**
 * Fills a template with names, words or numbers; the rest is the same in every language.
 *
 * @example
 * ```ts
 * import { bilingual } from "./text.ts";
 * const code = bilingual`lock.acquire();   // ${{ en: "waits", zh: "等待" }}`;
 * if (code.zh !== "lock.acquire();   // 等待") throw new Error(code.zh);
 * ```
 */
export function bilingual(
  parts: TemplateStringsArray,
  ...values: readonly (Name | number)[]
): Text {
  return inEachLanguage((lang) =>
    parts.reduce((text, part, i) => {
      const value = values[i - 1]!;
      return text + (typeof value === "number" ? value : textIn(value, lang)) + part;
    })
  );
}

/** Joins several names to one text: `a, b`. */
export function joinNames(names: readonly Name[]): Text {
  return inEachLanguage((lang) =>
    names.map((name) => textIn(name, lang)).join(lang === "en" ? ", " : "、")
  );
}

/**
 * Formats a value for pictures: words in quotes, names from the code unchanged, the rest as JSON.
 *
 * @example
 * ```ts
 * import { formatValue } from "./text.ts";
 * if (formatValue("p1.2").en !== "p1.2" || formatValue("n = 1").en !== '"n = 1"') throw new Error();
 * if (formatValue({ en: "tea", zh: "茶" }).zh !== "“茶”") throw new Error();
 * ```
 */
export function formatValue(value: unknown): Text {
  if (isText(value)) return { en: `"${value.en}"`, zh: `“${value.zh}”` };
  const text = typeof value === "string" && /^[\w.-]+$/.test(value) ? value : JSON.stringify(value);
  return { en: text, zh: text };
}

function isText(value: unknown): value is Text {
  return typeof value === "object" && value !== null &&
    langs.every((lang) => typeof (value as Partial<Text>)[lang] === "string");
}
