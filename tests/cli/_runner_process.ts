/**
 * Runs command lines one after the other: see _runner.ts. Each line of standard input is JSON,
 * `{"args": [], "cwd": "/home/anna", "env": {}}`. On both output streams, a form feed and the exit
 * code follow the output of a command line.
 */
import { resetSync } from "@logtape/logtape";
import { finish, printRaw, writeError } from "../../cmd/_term/out.ts";
import { flushLog } from "../../core/serve/log.ts";
import { main } from "../../main.ts";

interface CommandLine {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

const usual = Deno.env.toObject();

async function run({ args, cwd, env }: CommandLine): Promise<void> {
  Deno.chdir(cwd);
  Object.defineProperty(Deno, "args", { value: args, configurable: true });
  for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  const code = await main(args);
  // A `serve` that has failed leaves a log, which later command lines would write to, and late.
  resetSync();
  flushLog();
  for (const name of Object.keys(env)) {
    if (Object.hasOwn(usual, name)) Deno.env.set(name, usual[name]);
    else Deno.env.delete(name);
  }
  await finish();
  printRaw(`\f${code}\n`);
  writeError(`\f${code}\n`);
  await finish();
}

let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop()!;
  for (const line of lines) await run(JSON.parse(line));
}
