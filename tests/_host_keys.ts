/** Host keys for the SFTP doors of tests: it takes a second to generate an RSA key. */
const keys = new URL("../fixtures/sftp/ssh/", import.meta.url).pathname;

/** Copies host keys to a data directory that has none. */
export async function layHostKeys(data: string): Promise<void> {
  await Deno.mkdir(`${data}/ssh`, { mode: 0o700 });
  for await (const { name } of Deno.readDir(keys)) {
    await Deno.copyFile(`${keys}/${name}`, `${data}/ssh/${name}`);
  }
}
