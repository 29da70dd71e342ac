/** The examples of docs/configuration.md are files that the program takes. */
import assert from "node:assert/strict";
import { Home, lines } from "../_barge.ts";
import { Runner } from "../_runner.ts";

const page = Deno.readTextFileSync(new URL("../../../docs/configuration.md", import.meta.url));
const [short, full, client] = Array.from(
  page.matchAll(/^```toml\n(.*?)^```$/gms),
  ([, text]) => text,
);

/** Makes settings of the commented lines that show one. */
function uncommented(text: string): string {
  return text.replace(/^#(?=[a-z-]+ = )/gm, "");
}

/** Writes a file into a person's home. @returns its path */
function write(home: Home, name: string, text: string): string {
  Deno.writeTextFileSync(`${home.path}/${name}`, text);
  return `${home.path}/${name}`;
}

Deno.test("docs/configuration.md", async (t) => {
  await using runner = new Runner();

  await t.step("the examples of a server's file in docs/configuration.md are valid", async () => {
    await using home = new Home();
    const all = uncommented(full).replace(/^acme-.*\n/gm, ""); // they need acme, which tls-cert excludes
    for (const [i, text] of [short, full, all].entries()) {
      const file = write(home, `${i}.toml`, text);
      const { code, stdout, stderr } = await runner.at(home).barge(["config", "check", file]);
      assert.equal(code, 0, stdout + stderr);
    }
  });

  await t.step("docs/configuration.md has every option of serve, with its default", async () => {
    await using home = new Home();
    const file = write(home, "barge.toml", uncommented(full));
    const env = { BARGE_CONFIG: file };
    const shown = lines(await home.barge(["config", "show", "--json"], { env }));
    const defaults = lines(await runner.at(home).barge(["config", "show", "--json"]));
    const absent = ["config", "limits", "adopt", "print-unit", "print-socket", "debug"];
    for (const [i, { option, value, table, source }] of shown.entries()) {
      if (["config", "json"].includes(option)) continue; // the command line sets these here
      assert.equal(source, absent.includes(option) ? "default" : "file", option);
      const isMachines = new RegExp(`^#${option} = .*#.*default: `, "m").test(full);
      const isExample = defaults[i].value === null || isMachines;
      if (!isExample && !Array.isArray(value)) assert.equal(value, defaults[i].value, option);
      const line = new RegExp(`^#${option} = `, "m");
      if (!absent.includes(option)) assert.match(full.split("[limits]")[table ? 1 : 0], line);
    }
    for (const option of absent) assert.ok(page.includes(`\`--${option}\``), option);
  });

  await t.step(
    "the client's file in docs/configuration.md is valid, and has every general option",
    async () => {
      await using home = new Home();
      const check = async (text: string) => {
        const { code, stdout, stderr } = await runner.at(home).barge([
          ...["config", "check", "--client", write(home, "config.toml", text)],
        ]);
        assert.equal(code, 0, stdout + stderr);
      };
      await check(client);
      await check(uncommented(client));
      const shown = lines(await runner.at(home).barge(["config", "show", "--json", "ping"]));
      const ofSessions = ["password-file", "password-stdin", "retries", "retry-delay"];
      const general = [...shown.map(({ option }) => option), ...ofSessions];
      const [top] = client.split(/^\[/m);
      for (const option of general.filter((name) => name !== "json" && name !== "debug")) {
        assert.match(top, new RegExp(`^#?${option} = `, "m"));
      }
    },
  );
});
