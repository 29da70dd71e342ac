/** Checks a frame against a schema, and names the field that does not fit. */
import * as v from "valibot";
import { BargeError } from "../error.ts";

/**
 * Returns the value as the schema reads it.
 *
 * @param op the verb or part of the protocol, for the error
 * @throws {BargeError} `unsupported` for an unknown choice of a field, else `protocol`
 */
export function check<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  op: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue);
  if (issue.type === "picklist" && typeof issue.input === "string") {
    const choice = JSON.stringify(issue.input.slice(0, 40));
    throw new BargeError("unsupported", `unknown ${field} ${choice}`, { op });
  }
  throw new BargeError("protocol", explain(issue, field), { op });
}

/** Names the expected type and the type of the input, not the input: it may be long or secret. */
function explain(issue: v.BaseIssue<unknown>, field: string | null): string {
  const subject = field ? `field ${field}` : "message";
  if (issue.input === undefined) return `${subject} is missing`;
  if (issue.kind === "schema" && issue.expected) {
    const type = issue.input === null ? "null" : typeof issue.input;
    return `${subject} must be ${issue.expected.toLowerCase()}, not ${type}`;
  }
  const why = /^Invalid /.test(issue.message) ? "out of range" : issue.message;
  return field ? `${subject}: ${why}` : why;
}
