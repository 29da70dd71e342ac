import type { exitCodes, otherCode } from "../../../cmd/_term/exit.ts";
import { bold, section, terms } from "./roff.ts";

type Code = 0 | typeof otherCode | typeof exitCodes[keyof typeof exitCodes];

/** The meanings of all exit codes, as README.md has them. */
const meanings: Readonly<Record<Code, string>> = {
  0: "Done. A file is whole and on disk.",
  1: "Any other failure, or several kinds of failure.",
  2: "Wrong usage.",
  3: "There is no such folder.",
  4: "There is no such file.",
  5: "Worth retrying: the server is unreachable or busy, the connection was cut, or a disk is full.",
  6: "Not worth retrying.",
  7: "Fatal: a fault of the data directory or of the program.",
  11: "Not logged in, or not allowed.",
  12: "Over quota.",
  13: "The digest differs.",
  14: "The name exists, or it was changed meanwhile.",
  15: "TLS failed, or the server is another one than the trusted one.",
  130: "Interrupted, or the reader of the output is gone.",
};

/** Returns the section on exit codes. Every verb has the same codes. */
export function exitStatus(): string {
  const rows = Object.entries(meanings);
  return section("EXIT STATUS", terms(rows.map(([code, meaning]) => [bold(code), meaning])));
}
