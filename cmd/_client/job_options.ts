/** The options of a verb that runs as a job of cron. */
import { value, type ValuesOf } from "../_term/command.ts";
import { path, plain, valueParser } from "../_term/value.ts";

export const jobOptions = {
  lock: value(lockName(), "End with exit code 14 while another run with this lock goes on"),
  log: value(
    path("FILE"),
    "Append the messages of the run, its start and its end, with their times",
  ),
  notify: value(
    plain("CMD"),
    "Run this program after a failure, with a JSON object on its standard input",
  ),
};

export type JobChoice = ValuesOf<typeof jobOptions>;

/** The name of a lock, or a path. */
function lockName() {
  const parse = (text: string) =>
    /^([\w.-]{1,64}|\/.+)$/.test(text) && !/^\.+$/.test(text) ? text : undefined;
  return valueParser(
    "NAME",
    parse,
    "a name of letters, digits, dots and dashes, or an absolute path",
  );
}
