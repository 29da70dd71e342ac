/** Starts barge itself as a child process. */

const runOptions = ["run", "--quiet", "--allow-all", "--unstable-worker-options", "--unstable-net"];

/** Returns a command that starts barge with these arguments. */
export function self(
  args: readonly string[],
  options: Omit<Deno.CommandOptions, "args"> = {},
): Deno.Command {
  const prefix = Deno.build.standalone ? [] : [...runOptions, Deno.mainModule];
  return new Deno.Command(Deno.execPath(), { ...options, args: [...prefix, ...args] });
}

/** A child process that serves until it is disposed. */
export interface OwnServer extends AsyncDisposable {
  /** Its first line of output, parsed. */
  // deno-lint-ignore no-explicit-any
  readonly ready: any;
  readonly pid: number;
}

/**
 * Starts barge as a server that prints a line of JSON when it is ready.
 *
 * @throws {Error} with its standard error, if it ends before that
 */
export async function startSelf(args: readonly string[]): Promise<OwnServer> {
  const child = self(args, { stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  const decoder = new TextDecoder();
  const reader = child.stdout.getReader();
  const errors = new Response(child.stderr).text();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${args.join(" ")} did not start: ${await errors}`);
    text += decoder.decode(value, { stream: true });
  }
  // Later output is read and dropped, so that it never blocks.
  const rest = (async () => {
    while (!(await reader.read()).done);
  })();
  return {
    ready: JSON.parse(text.slice(0, text.indexOf("\n"))),
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGTERM");
      } catch { /* it has ended already */ }
      await Promise.all([child.status, rest, errors]);
    },
  };
}
