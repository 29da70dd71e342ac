/** Replies: three digits and a text, on one line or several (RFC 959, section 4.2). */
import { BargeError, type ErrorFacts, type Kind } from "../../error.ts";
import { inLine } from "./name.ts";

export interface Reply {
  readonly code: number;
  readonly text: string;
  /** The lines between the first, which is `text`, and the last. */
  readonly lines?: readonly string[];
  /** The text of the last line of several. */
  readonly last?: string;
}

export function reply(code: number, text: string): Reply {
  return { code, text };
}

const encoder = new TextEncoder();

/**
 * Encodes a reply. Line breaks in its texts are replaced.
 *
 * @example
 * ```ts
 * import { encodeReply, reply } from "./reply.ts";
 * const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
 * if (text(encodeReply(reply(200, "ok"))) !== "200 ok\r\n") throw new Error();
 * const many = encodeReply({ code: 211, text: "a", lines: ["b"], last: "end" });
 * if (text(many) !== "211-a\r\n b\r\n211 end\r\n") throw new Error();
 * ```
 */
export function encodeReply({ code, text, lines, last = "End." }: Reply): Uint8Array {
  if (!lines) return encoder.encode(`${code} ${inLine(text)}\r\n`);
  const between = lines.map((line) => ` ${inLine(line)}\r\n`).join("");
  return encoder.encode(`${code}-${inLine(text)}\r\n${between}${code} ${inLine(last)}\r\n`);
}

/** Quotes a path for programs; its own quotes are doubled (RFC 959, appendix II). */
export function quoted(path: string): string {
  return `"${path.replaceAll('"', '""')}"`;
}

/** The reply code for each kind of failure. */
const codes = {
  usage: 501,
  "no-directory": 550,
  "not-found": 550,
  unavailable: 450,
  "no-space": 452,
  refused: 550,
  protocol: 500,
  unsupported: 504,
  fatal: 451,
  io: 451,
  denied: 550,
  unauthenticated: 530,
  "code-needed": 530,
  "over-quota": 552,
  digest: 451,
  exists: 550,
  changed: 451,
  identity: 534,
  interrupted: 426,
} satisfies Record<Kind, number>;

/** Hints for FTP clients in place of hints for the command line. */
const hints: Partial<Record<Kind, string | undefined>> = {
  "no-directory": "make it with MKD",
  exists: undefined,
};

/** Returns the reply for a failure. The text for a missing file has the words that clients look for. */
export function replyTo(error: BargeError, code: number = codes[error.kind]): Reply {
  const { kind, path, message } = error;
  const hint = Object.hasOwn(hints, kind) && !(error instanceof Failed) ? hints[kind] : error.hint;
  const why = kind === "not-found" ? "No such file or directory" : message;
  // A path in 426 might contain the word ABOR: see control.ts.
  const where = path === undefined || code === codes.interrupted ? "" : `${path}: `;
  return { code, text: `${where}${why}${hint === undefined ? "" : `; ${hint}`}` };
}

/** A failure with a reply code of its own. */
export class Failed extends BargeError {
  readonly code: number;

  constructor(code: number, kind: Kind, why: string, facts: ErrorFacts = {}) {
    super(kind, why, facts);
    this.code = code;
  }

  override with(facts: ErrorFacts): Failed {
    return new Failed(this.code, this.kind, this.message, super.with(facts));
  }
}
