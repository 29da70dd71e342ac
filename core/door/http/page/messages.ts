/** The notices of the page, and its texts for failures. */
import { formatSize } from "../../../size.ts";
import type { BargeError, Kind } from "../../../error.ts";
import { LoginLimited } from "../../../login/refusal.ts";
import { counted } from "../../../counted.ts";

/**
 * The notices after changes, by their codes. A URL holds only a code, so that no link can make the page
 * show another text.
 */
const notices: Readonly<Record<string, (n: number) => string>> = {
  made: () => "The folder is created.",
  renamed: () => "Renamed.",
  moved: (n) => `Moved ${counted(n, "item")}.`,
  copied: (n) => `Copied ${counted(n, "item")}.`,
  deleted: (n) => `Deleted ${counted(n, "item")}.`,
  published: (n) => `Published ${counted(n, "item")}.`,
  claimed: (n) => `Claimed ${counted(n, "item")}.`,
  welcome: () => "Welcome! This is your home.",
  password: () => "The password is changed. All other logins have ended.",
  disabled: () => "The second factor is disabled.",
  ended: () => "The login has ended.",
  revoked: () => "The token is revoked.",
  unlinked: () => "The link is revoked.",
  added: () => "The account is created.",
  changed: () => "The account is changed.",
  removed: () => "The account is removed. The server keeps its home under removed/.",
  lifted: (n) => `Lifted ${counted(n, "ban")}.`,
  grown: () => "Your quota is raised.",
};

/** Returns the notice of a code, such as `deleted.3`. @returns undefined for an unknown code */
export function noticeText(code: string | null): string | undefined {
  const [name, n] = (code ?? "").split(".");
  return Object.hasOwn(notices, name) ? notices[name](Math.max(1, Number(n) || 1)) : undefined;
}

/** Texts for kinds whose message is for programs. */
const kindTexts: Partial<Record<Kind, string>> = {
  unauthenticated: "The name or the password is wrong.",
  unavailable: "The server is busy. Try again in a moment.",
  "no-space": "The server's disk is full. Ask its operator for help.",
  io: "The server failed. Its log has the details.",
  fatal: "The server failed. Its log has the details.",
};

/** The advice on a login that a limit excludes, by the owner of the limit: its hint names commands. */
const limitAdvice: Readonly<Record<LoginLimited["limitOf"], string>> = {
  account: "Ask the server's operator for help.",
  token: "Log in with your password, or with another token.",
};

/** Returns a failure as sentences for people. */
export function errorText(error: BargeError): string {
  const { kind, message, path, hint } = error;
  if (error instanceof LoginLimited) return `${capital(message)}. ${limitAdvice[error.limitOf]}`;
  const text = kindTexts[kind];
  if (text !== undefined) return text;
  const plain = message.replace(/\b(\d{4,}) bytes\b/g, (_, n) => formatSize(Number(n)))
    .replace(/\b(\d{4,}) (?=are (?:left|held))/g, (_, n) => `${formatSize(Number(n))} `);
  const name = path?.slice(path.lastIndexOf("/") + 1);
  const about = name ? `${name}: ${plain}` : capital(plain);
  return kind === "usage" && hint ? `${about} (${hint}).` : `${about}.`;
}

function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
