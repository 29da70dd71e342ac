/** Formats counts for the page, and knows the kinds of files. */
import { typeOf as mediaTypeOf } from "../download.ts";

/**
 * Formats the number of an account's entries, with its limit.
 *
 * @example
 * ```ts
 * import { entriesOf } from "./format.ts";
 * if (entriesOf(12, null) !== "Files and folders: 12.") throw new Error();
 * if (entriesOf(12, 100_000) !== "Files and folders: 12 of 100,000.") throw new Error();
 * ```
 */
export function entriesOf(entries: number, limit: number | null = null): string {
  const text = (n: number) => n.toLocaleString("en-US");
  return `Files and folders: ${text(entries)}${limit === null ? "" : ` of ${text(limit)}`}.`;
}

/** The kind of a file's preview and icon. */
export type Look = "image" | "video" | "audio" | "pdf" | "text" | "archive" | "other";

/**
 * Returns the kind of a file by its name.
 *
 * @example
 * ```ts
 * import { lookOf } from "./format.ts";
 * if (lookOf("a.JPG") !== "image" || lookOf("notes.md") !== "text") throw new Error();
 * if (lookOf("page.html") !== "text" || lookOf("a.bin") !== "other") throw new Error();
 * ```
 */
export function lookOf(name: string): Look {
  const lower = name.toLowerCase();
  if (/\.(zip|tar|t?gz|tgz|bz2|xz|zst|7z|rar)$/.test(lower)) return "archive";
  if (textNames.test(lower)) return "text";
  const type = typeOf(name);
  if (type === "application/pdf") return "pdf";
  const [kind] = type.split("/");
  if (kind === "image" || kind === "video" || kind === "audio" || kind === "text") return kind;
  return /^application\/(json|xml|javascript|toml|yaml)/.test(type) ? "text" : "other";
}

/** Types that browsers play, and that Hono's table lacks. */
const mediaTypes: Readonly<Record<string, string>> = {
  wav: "audio/wav",
  flac: "audio/flac",
  m4a: "audio/mp4",
  m4v: "video/mp4",
  mov: "video/quicktime",
  mkv: "video/x-matroska",
};

/** Returns the media type of a file by its name. */
export function typeOf(name: string): string {
  const extension = name.toLowerCase().slice(name.lastIndexOf(".") + 1);
  return mediaTypes[extension] ?? mediaTypeOf(name);
}

const textNames =
  /(^|[/.])(txt|md|markdown|rst|log|csv|tsv|json|jsonl|ya?ml|toml|ini|conf|cfg|env|sh|bash|zsh|py|rb|pl|js|mjs|jsx|tsx?|css|html?|xml|c|h|cc|cpp|hpp|rs|go|java|kt|swift|sql|diff|patch|tex|makefile|dockerfile|license|readme)$/;
