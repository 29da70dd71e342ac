/** A command line, the row that it belongs to, and whether it may be carried out. */
import type { Access } from "../access.ts";
import type { Control } from "./control.ts";
import type { Line } from "./line.ts";
import { Failed, type Reply } from "./reply.ts";
import { table } from "./table.ts";

/** One command. */
export interface Row {
  /** Does it take one? */
  readonly argument: "none" | "optional" | "needed";
  /** Is the argument a path, for the record of it? */
  readonly path?: boolean;
  /** Only for who is logged in. */
  readonly login: boolean;
  /** What it may do, as all doors call it; undefined: nothing that is worth a record. */
  readonly does?: Doing;
  /** May it take long? Then ABOR and the like are answered meanwhile. */
  readonly slow?: boolean;
  /** Its arguments, and what it does, in a line. */
  readonly help: readonly [syntax: string, what: string];
  /** @returns what it is answered with; undefined: it has answered itself */
  run(c: Control, argument: string, access: Access): Answer | Promise<Answer>;
}

type Answer = Reply | undefined;

/** The verbs of the session, as the access log has them. */
export type Doing =
  | "login"
  | "list"
  | "stat"
  | "get"
  | "put"
  | "move"
  | "remove"
  | "mkdir"
  | "touch"
  | "digest"
  | "quota";

/** What a client asks for. */
export interface Asked {
  readonly verb: string;
  readonly argument: string;
  readonly fault: Line["fault"];
  /** Undefined: there is no such command here. */
  readonly row: Row | undefined;
}

/** Commands that FTP has, and this server has not. */
const known = new Set([
  ..."ADAT CCC CONF CSID DSIZ ENC ESTA ESTP HOST LPRT LPSV MFCT MFF MIC RANG SMNT".split(" "),
  ..."THMB XCRC XRCP XRSQ XSEM XSEN".split(" "),
]);

/** What a line asks for: up to the first space a verb, all behind that one space its argument. */
export function asked({ text, fault }: Line): Asked {
  const space = text.indexOf(" ");
  const verb = (space === -1 ? text : text.slice(0, space)).toUpperCase();
  const argument = space === -1 ? "" : text.slice(space + 1);
  return { verb, argument, fault, row: fault ? undefined : table.get(verb) };
}

/**
 * Returns the row that says how to carry a command out.
 *
 * @throws {Failed} where it may not be; {BargeError} `unauthenticated` when the login has ended
 */
export function rowFor(c: Control, { verb, argument, fault, row }: Asked): Row {
  if (fault) throw new Failed(fault === "long" ? 500 : 501, "usage", faults[fault]);
  if (!row) {
    const there = known.has(verb);
    const why = there ? `${verb} is not implemented` : "there is no such command";
    throw new Failed(there ? 502 : 500, "unsupported", why, { hint: "try HELP" });
  }
  if (row.argument === "needed" && argument === "") {
    throw new Failed(501, "usage", "Syntax error: command needs an argument");
  }
  if (row.argument === "none" && argument.trim() !== "") {
    throw new Failed(501, "usage", "Syntax error: command does not accept arguments");
  }
  if (row.login && !c.session) {
    throw new Failed(530, "unauthenticated", "Log in with USER and PASS first");
  }
  if (row.login) c.session?.check();
  return row;
}

const faults = {
  long: "the line is too long",
  nul: "a line can't hold a NUL",
  cr: "a line can't hold a CR but at its end",
  encoding: "the line is not UTF-8",
};
