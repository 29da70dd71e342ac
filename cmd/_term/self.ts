/** Starts barge itself, from the checkout or the executable. */
const run = ["run", "--quiet", "--allow-all", "--unstable-worker-options", "--unstable-net"];

/** Returns a command that runs barge with this process's environment. */
export function self(
  args: readonly string[],
  options: Omit<Deno.CommandOptions, "args"> = {},
): Deno.Command {
  const before = Deno.build.standalone ? [] : [...run, Deno.mainModule];
  return new Deno.Command(Deno.execPath(), { ...options, args: [...before, ...args] });
}

/** A server that ends when it is disposed. */
export interface OwnServer extends AsyncDisposable {
  /** Its first line of output, sent when it is ready. */
  // deno-lint-ignore no-explicit-any
  readonly ready: any;
  readonly pid: number;
}

/**
 * Starts barge as a server that prints a line of JSON when it is ready.
 *
 * @throws {Error} with its error output, when it ends before that
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
  // Later output is read and discarded.
  const rest = (async () => {
    while (!(await reader.read()).done);
  })();
  return {
    ready: JSON.parse(text.slice(0, text.indexOf("\n"))),
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGTERM");
      } catch { /* it has ended by itself */ }
      await Promise.all([child.status, rest, errors]);
    },
  };
}
