/** Programs that the tests start, where they are installed. */

/** Is there a program of that name? */
export async function installed(name: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", {
    args: ["-c", 'command -v "$1"', "sh", name],
    stdout: "null",
  }).output();
  return success;
}
