/** What the page says of what was done, and of what failed. */
import { formatSize } from "../../../size.ts";
import type { BargeError, Kind } from "../../../error.ts";
import { count } from "./format.ts";

/**
 * What is said after a change: its code and how many, as it stands in the URL that the change leads
 * to. A code, so that no link can put words into the page's mouth.
 */
const said: Readonly<Record<string, (n: number) => string>> = {
  made: () => "The folder is made.",
  renamed: () => "Renamed.",
  moved: (n) => `Moved ${count(n, "item")}.`,
  copied: (n) => `Copied ${count(n, "item")}.`,
  deleted: (n) => `Deleted ${count(n, "item")}.`,
  published: (n) => `Published ${count(n, "item")}.`,
  claimed: (n) => `Took ${count(n, "item")} into your home.`,
  welcome: () => "Welcome! This is your home.",
  password: () => "The password is changed. Other logins are ended.",
  ended: () => "That login is ended.",
  revoked: () => "That token is revoked.",
  unlinked: () => "That link leads nowhere now.",
  added: () => "The account is made.",
  changed: () => "It is changed.",
  removed: () => "The account is removed. Its home is kept on the server, under removed/.",
  lifted: (n) => `Lifted ${count(n, "ban")}.`,
  grown: () => "You have more room now.",
};

/** @param code `deleted.3` @returns undefined for none that this page gives out */
export function noticeText(code: string | null): string | undefined {
  const [what, n] = (code ?? "").split(".");
  return Object.hasOwn(said, what) ? said[what](Math.max(1, Number(n) || 1)) : undefined;
}

/** A kind's own words, where a person wants others than a script. */
const words: Partial<Record<Kind, string>> = {
  unauthenticated: "That name and password don't go together.",
  unavailable: "The server is busy. Try again in a moment.",
  "no-space": "The server's disk is full. Tell whoever runs it.",
  io: "Something broke on the server. Its log says what.",
  fatal: "Something broke on the server. Its log says what.",
};

/** A failure, as a sentence for a person. */
export function errorText({ kind, message, path, hint }: BargeError): string {
  const own = words[kind];
  if (own !== undefined) return own;
  const plain = message.replace(/\b(\d{4,}) bytes\b/g, (_, n) => formatSize(Number(n)))
    .replace(/\b(\d{4,}) (?=are left)/g, (_, n) => `${formatSize(Number(n))} `);
  const name = path?.slice(path.lastIndexOf("/") + 1);
  const about = name ? `${name}: ${plain}` : plain[0].toUpperCase() + plain.slice(1);
  return kind === "usage" && hint ? `${about} (${hint}).` : `${about}.`;
}
