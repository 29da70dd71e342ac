/** The environment that a server gives to the operator's programs. */
import assert from "node:assert/strict";
import { caches } from "../../_program.ts";
import { startServer } from "../../_server.ts";
import { eager, Peer, text } from "../door/_peer.ts";
import { Scripts, unix } from "./_hook.ts";

const passed = ["HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ", "USER"];

Deno.test({
  name: "a hook gets seven variables and none of the server's secrets; its output is discarded",
  ignore: !unix,
  async fn() {
    using scripts = new Scripts();
    const program = scripts.write("note", 'env > "$D/env.$1"; pwd > "$D/pwd.$1"; echo printed');
    const values = Object.fromEntries(passed.map((name) => [name, `value of ${name}`]));
    const env = { ...values, PATH: Deno.env.get("PATH")!, TMPDIR: "/tmp", HOME: scripts.dir };
    const secrets = { BARGE_PASSWORD: "secret", BARGE_TOKEN: "secret", SECRET: "secret" };
    await using server = await startServer({
      args: [
        "--workers",
        "1",
        "--check-upload",
        `${program} check`,
        "--on-commit",
        `${program} end`,
      ],
      env: { ...env, ...caches, ...secrets },
    });
    await server.addUser("anna");
    using peer = await Peer.open(server.address, await server.issueToken("anna"));
    await peer.ask(eager("/home/a", text("a")));
    assert.equal(await server.kill("SIGTERM"), 0);
    for (const hook of ["check", "end"]) {
      const variables = new Map(
        scripts.read(`env.${hook}`).trimEnd().split("\n").map((line) => {
          const [name, ...value] = line.split("=");
          return [name, value.join("=")];
        }),
      );
      for (const own of ["PWD", "OLDPWD", "SHLVL", "_"]) variables.delete(own); // the shell's
      assert.deepEqual([...variables.keys()].sort(), passed, hook);
      assert.deepEqual(Object.fromEntries(variables), env, hook);
      assert.equal(scripts.read(`pwd.${hook}`).trimEnd(), Deno.cwd(), hook);
    }
    assert.doesNotMatch(server.stdout() + server.stderr(), /printed/);
  },
});
