import { BargeError } from "../../error.ts";
import { migrations } from "./schema.ts";

/** The refusal of a database with the tables of an older barge, which may be running on it. */
export class OlderTables extends BargeError {
  /** The version of its tables. */
  readonly from: number;

  constructor(from: number, path: string) {
    const why = `it was made by an older barge (version ${from} of the tables, this one has ` +
      `${migrations.length})`;
    super("fatal", why, {
      op: "open database",
      path,
      hint: "stop its server, and start it with this barge: that brings the tables up to date",
    });
    this.from = from;
  }
}
