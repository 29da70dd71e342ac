/** Other processes on the same database: runs _helper.ts. */

const helper = new URL("./_helper.ts", import.meta.url).pathname;

/** Runs the helper to its end. @returns its output, trimmed */
export async function runHelper(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await command(args, "null").output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (code !== 0) throw new Error(`the helper ended with ${code}: ${text(stderr)}`);
  return text(stdout);
}

/** Starts a process that holds the write lock until disposal. */
export async function hold(file: string): Promise<AsyncDisposable> {
  const child = command(["hold", file], "piped").spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  if (new TextDecoder().decode(value).trim() !== "held") throw new Error("the helper failed");
  return {
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await reader.cancel();
      await child.stderr.cancel();
      await child.status;
    },
  };
}

function command(args: string[], stdin: "null" | "piped"): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-read", "--allow-write", helper, ...args],
    stdin,
    stdout: "piped",
    stderr: "piped",
  });
}
