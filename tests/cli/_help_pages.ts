/**
 * Prints the help of verbs in one process, since sixty starts of the program take five seconds of CPU:
 * `_help_pages.ts "user add" ...` prints a line of JSON with the words and the exit code behind each
 * page, after a line with a form feed.
 */
import { print } from "../../cmd/_term/out.ts";
import { exit } from "../../cmd/_term/fail.ts";
import { main } from "../../main.ts";

for (const name of Deno.args) {
  const code = await main(["help", ...name.split(" ")]);
  print(`\f${JSON.stringify({ name, code })}`);
}
await exit(0);
