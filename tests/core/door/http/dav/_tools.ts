/** Finds programs that the tests start. */

/** Returns whether a program is installed. */
export async function installed(name: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", {
    args: ["-c", 'command -v "$1"', "sh", name],
    stdout: "null",
  }).output();
  return success;
}
