/** Finds the command of a line, and checks whether it may run. */
import type { Access } from "../access.ts";
import type { Line } from "./line_parser.ts";
import { Failed, type Reply } from "./reply.ts";
import { type Connection, needLogin, type Row } from "./row.ts";
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

/** Parses a line: the verb up to the first space, the argument behind that one space. */
export function parseCommand({ text, fault }: Line): CommandLine {
  const space = text.indexOf(" ");
  const verb = (space === -1 ? text : text.slice(0, space)).toUpperCase();
  const argument = space === -1 ? "" : text.slice(space + 1);
  return { verb, argument, fault, row: fault ? undefined : table.get(verb) };
}

/** A command that may be carried out. */
export interface Command {
  readonly slow: boolean;
  /** @returns the reply; undefined when the command has answered by itself */
  run(argument: string, access: Access): Promise<Reply | undefined>;
}

/**
 * Returns the command that a line asks for.
 *
 * @throws {Failed} where it may not be carried out; {BargeError} `unauthenticated` when the login has
 *   ended
 */
export async function commandFor(
  c: Connection,
  { verb, argument, fault, row }: CommandLine,
): Promise<Command> {
  if (fault) throw new Failed(fault === "long" ? 500 : 501, "usage", faults[fault]);
  if (!row) {
    const known = unimplemented.has(verb);
    const why = known ? `${verb} is not implemented` : "unknown command";
    throw new Failed(known ? 502 : 500, "unsupported", why, { hint: "try HELP" });
  }
  if (row.argument === "needed" && argument === "") {
    throw new Failed(501, "usage", "Syntax error: command needs an argument");
  }
  if (row.argument === "none" && argument.trim() !== "") {
    throw new Failed(501, "usage", "Syntax error: command does not accept arguments");
  }
  const { slow = false } = row;
  if (!row.login) return { slow, run: async (...args) => await row.run(c, ...args) };
  const user = needLogin(c);
  await user.session.check();
  return { slow, run: async (...args) => await row.run(user, ...args) };
}

const faults = {
  long: "the line is too long",
  nul: "the line contains a NUL",
  cr: "the line contains a CR",
  encoding: "the line is not UTF-8",
};
