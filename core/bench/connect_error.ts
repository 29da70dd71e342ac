import { BargeError } from "../error.ts";
import type { Failure, RequestError } from "./connection.ts";

const reasons: Partial<Record<Failure, string>> = {
  refused: "nothing listens there",
  name: "there is no such host",
  late: "no answer in time",
};

/** Returns the error of a load that can't begin, since a connection could not be opened. */
export function connectError({ failure, cause }: RequestError, connections: number): BargeError {
  if (failure === "descriptors") {
    return new BargeError("unavailable", "too few file descriptors for so many connections", {
      op: "connect",
      cause,
      hint: `\`ulimit -n ${connections + 256}\` allows them`,
    });
  }
  const message = cause instanceof Error
    ? cause.message.replace(/ \(os error \d+\).*/, "")
    : failure;
  return new BargeError("unavailable", reasons[failure] ?? message, { op: "connect", cause });
}
