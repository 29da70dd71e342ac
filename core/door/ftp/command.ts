/** Finds the command of a line, and checks whether it may run. */
import type { Line } from "./line_parser.ts";
import { Failed, type Reply } from "./reply.ts";
import { type Connection, needLogin, type Request, type Row } from "./row.ts";
import { table } from "./table.ts";

/** A command line, parsed. */
export interface CommandLine {
  readonly verb: string;
  readonly argument: string;
  readonly fault: Line["fault"];
  /** Undefined for an unknown command. */
  readonly row: Row | undefined;
}

/** Commands of FTP that this server does not implement. */
const unimplemented = new Set([
  ..."ADAT CCC CONF CSID DSIZ ENC ESTA ESTP HOST LPRT LPSV MFCT MFF MIC RANG SMNT".split(" "),
  ..."THMB XCRC XRCP XRSQ XSEM XSEN".split(" "),
]);

/** Parses a line: the verb up to the first space, the argument after that one space. */
export function parseCommand({ text, fault }: Line): CommandLine {
  const [, verb, argument = ""] = /^([^ ]*)(?: ([^]*))?$/.exec(text)!;
  const name = verb.toUpperCase();
  return { verb: name, argument, fault, row: fault ? undefined : table.get(name) };
}

/**
 * Runs a command, if it may run.
 *
 * @returns the reply; undefined when the command has sent it
 * @throws {BargeError} as the command; `unauthenticated` when the login has ended; {Failed}
 */
export async function runCommand(
  c: Connection,
  { verb, fault, row }: CommandLine,
  request: Request,
): Promise<Reply | undefined> {
  if (fault) throw new Failed(fault === "long" ? 500 : 501, "usage", faults[fault]);
  if (!row) {
    const known = unimplemented.has(verb);
    const why = known ? `${verb} is not implemented` : "unknown command";
    throw new Failed(known ? 502 : 500, "unsupported", why, { hint: "try HELP" });
  }
  checkArgument(row, request.argument);
  if (row.login === false) return await row.run(c, request);
  const user = needLogin(c);
  await user.session.check();
  return await row.run(user, request);
}

/** A syntax in brackets makes the argument optional; without a syntax none is allowed. */
function checkArgument({ argument: rule, help: [syntax] }: Row, argument: string): void {
  if (rule === "optional" || /^\[[^\]]*\]$/.test(syntax)) return;
  if (syntax !== "" && argument === "") {
    throw new Failed(501, "usage", "Syntax error: command needs an argument");
  }
  if (syntax === "" && argument.trim() !== "") {
    throw new Failed(501, "usage", "Syntax error: command does not accept arguments");
  }
}

const faults = {
  long: "the line is too long",
  nul: "the line contains a NUL",
  cr: "the line contains a CR",
  encoding: "the line is not UTF-8",
};
