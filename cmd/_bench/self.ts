/** Barge itself as a program that can be started, however it was started. */
const run = ["run", "--quiet", "--allow-all", "--unstable-worker-options", "--unstable-net"];

/** A child process of barge with these arguments; it has this one's environment. */
export function self(
  args: readonly string[],
  options: Omit<Deno.CommandOptions, "args"> = {},
): Deno.Command {
  const before = Deno.build.standalone ? [] : [...run, Deno.mainModule];
  return new Deno.Command(Deno.execPath(), { ...options, args: [...before, ...args] });
}

/** A server of one's own, for as long as it is not disposed. */
export interface OwnServer extends AsyncDisposable {
  /** The first line that it printed, which says that it is ready. */
  // deno-lint-ignore no-explicit-any
  readonly ready: any;
  readonly pid: number;
}

/**
 * Starts barge as a server that prints a line of JSON when it is ready.
 *
 * @throws {Error} with what it said, when it ends before that
 */
export async function startSelf(args: readonly string[]): Promise<OwnServer> {
  const child = self(args, { stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  const decoder = new TextDecoder();
  const reader = child.stdout.getReader();
  const said = new Response(child.stderr).text();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${args.join(" ")} did not start: ${await said}`);
    text += decoder.decode(value, { stream: true });
  }
  // What it prints later is read, and nobody's.
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
      await Promise.all([child.status, rest, said]);
    },
  };
}
