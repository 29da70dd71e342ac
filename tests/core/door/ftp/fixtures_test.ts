/** Replays recorded conversations of known programs: fixtures/ftp/*.txt. */
import { assertScript, type Step } from "./_script.ts";
import { Client } from "./_client.ts";
import { Here } from "./_here.ts";

const folder = new URL("../../../../fixtures/ftp/", import.meta.url);

for (
  const { name } of Array.from(Deno.readDirSync(folder)).sort((a, b) => a.name < b.name ? -1 : 1)
) {
  Deno.test(`as in fixtures/ftp/${name}`, async () => {
    const steps = Deno.readTextFileSync(new URL(name, folder)).split("\n")
      .map((text, i): Step => ({ text, line: i + 1 }))
      .filter(({ text }) => text !== "" && !text.startsWith("#"));
    await using here = await Here.start();
    using client = await Client.connect(here);
    await assertScript(client, steps, here.token);
    await client.gone();
  });
}
