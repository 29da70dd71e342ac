/** The commit hook: it delays no upload, is bounded, and gets each upload. */
import assert from "node:assert/strict";
import { configureSync, resetSync } from "@logtape/logtape";
import { HookPrograms } from "../../../core/serve/hook_programs.ts";
import type { UploadFacts } from "../../../core/watch/hooks.ts";
import { BargeError } from "../../../core/error.ts";
import { groundOf } from "./_ground.ts";
import { startServer } from "../../_server.ts";
import { eager, Peer, text } from "../door/_peer.ts";
import { hanging, holding, Scripts, serveWith, unix, waitFor } from "./_hook.ts";

const ignore = !unix;

Deno.test({ name: "a slow commit hook delays no upload, and gets each", ignore }, async () => {
  using scripts = new Scripts();
  const slow = scripts.write("slow", `${waitFor("go")}\ncat >> "$D/told"`);
  const { server, token } = await serveWith("--on-commit", slow, "--hook-jobs", "8");
  await using _ = server;
  using peer = await Peer.open(server.address, token);
  const many = 60;
  for (let i = 0; i < many; i++) await peer.send(eager(`/home/${i}`, text("x")));
  for (let i = 0; i < many; i++) assert.equal((await peer.answer()).ok, true);
  await peer.ask({ verb: "copy", from: "/home/1", to: "/home/copy" });
  await peer.ask({ verb: "move", from: "/home/1", to: "/home/moved" });
  assert.ok(!scripts.has("told"), "none of them could end yet");
  scripts.touch("go");
  assert.equal(await server.kill("SIGTERM"), 0); // waiting commits run within --grace
  const told = scripts.read("told").trimEnd().split("\n").map((line) => JSON.parse(line).path);
  const sent = Array.from({ length: many }, (_, i) => `/home/${i}`);
  assert.deepEqual(told.sort(), [...sent, "/home/copy"].sort());
  assert.doesNotMatch(server.stderr(), /barge\.hooks/);
});

Deno.test(
  { name: "commits that a worker reported before it died reach the hook", ignore },
  async () => {
    using scripts = new Scripts();
    const { server, token } = await serveWith();
    await using _ = server;
    await server.kill("SIGTERM");
    const note = scripts.write("note", 'cat >> "$D/told"');
    const args = ["--workers", "1", "--on-commit", note];
    await using dying = await startServer({ data: server.data, args, fault: "die=1" });
    const acknowledged: string[] = [];
    try {
      using peer = await Peer.open(dying.address, token);
      while (true) {
        const path = `/home/${acknowledged.length}`;
        await peer.ask(eager(path, text("x")));
        acknowledged.push(path);
      }
    } catch (error) {
      if (!(error instanceof BargeError || error instanceof assert.AssertionError)) throw error;
    }
    await dying.said("died: ");
    assert.equal(await dying.kill("SIGTERM"), 0);
    const told = scripts.has("told") ? scripts.read("told").trimEnd().split("\n") : [];
    const paths = new Set(told.map((line) => JSON.parse(line).path));
    assert.deepEqual(acknowledged.filter((path) => !paths.has(path)), []);
  },
);

Deno.test({ name: "a commit hook that fails or hangs is logged", ignore }, async () => {
  using scripts = new Scripts();
  const hang = await hanging(scripts);
  const run = scripts.write(
    "run",
    `grep -q '/home/hang"' && exec ${hang}\necho went wrong >&2\nexit 3`,
  );
  const { server, token } = await serveWith("--on-commit", run, "--hook-timeout", "1");
  await using _ = server;
  using peer = await Peer.open(server.address, token);
  await peer.ask(eager("/home/fail", text("x")));
  await peer.ask(eager("/home/hang", text("x")));
  await (await holding(scripts))();
  await server.said("killed after 1 s");
  await server.said("ended with 3");
  const lines = server.stderr().split("\n").filter((line) => line.includes('"barge.hooks"'));
  const records = lines.map((line) => JSON.parse(line));
  assert.equal(records.length, 2);
  for (const { level, properties } of records) {
    assert.equal(level, "WARN");
    assert.equal(properties.account, "anna");
    if (properties.path === "/home/fail") assert.equal(properties.said, "went wrong\n");
  }
  assert.equal(await server.kill("SIGTERM"), 0);
});

Deno.test(
  { name: "waiting commit hooks are killed and counted after --grace", ignore },
  async () => {
    using scripts = new Scripts();
    const hang = await hanging(scripts);
    const { server, token } = await serveWith(
      ...["--on-commit", hang, "--hook-jobs", "1", "--grace", "1"],
    );
    await using _ = server;
    using peer = await Peer.open(server.address, token);
    for (let i = 0; i < 5; i++) await peer.ask(eager(`/home/${i}`, text("x")));
    const released = await holding(scripts);
    assert.equal(await server.kill("SIGTERM"), 0);
    await released();
    assert.match(server.stderr(), /it was killed because the server is stopping/);
    assert.match(server.stderr(), /--on-commit was skipped for 4 uploads/);
  },
);

Deno.test(
  { name: "the queue of commit hooks is bounded, and skipped ones are counted", ignore },
  async () => {
    using scripts = new Scripts();
    const said: string[] = [];
    configureSync({
      sinks: { said: ({ message }) => void said.push(message.join("")) },
      loggers: [
        { category: "barge", sinks: ["said"] },
        { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
      ],
      reset: true,
    });
    try {
      const onCommit = [await hanging(scripts)];
      const hooks = new HookPrograms({ onCommit, timeout: 60_000, jobs: 2 });
      assert.deepEqual(hooks.offered, { check: false, committed: true });
      const path = `/home${`/${"\u0001".repeat(199)}`.repeat(14)}`; // 17 KB as JSON, twice
      const time = new Date().toISOString();
      const facts: UploadFacts = {
        ...{ event: "commit", account: "anna", path, upload: null, size: 0, sha256: "" },
        ...{ modified: time, verified: true, door: null, replaced: false, time },
      };
      const ground = groundOf(scripts.dir);
      const many = 500;
      for (let i = 0; i < many; i++) {
        hooks.receive(scripts, { type: "committed", facts }, ground, () => {});
      }
      const released = await holding(scripts);
      assert.match(said[0], /--on-commit is skipped for .*: too many uploads wait for it/);
      assert.equal(said.length, 1);
      await hooks.stop(0);
      await released();
      const told = /was skipped for (\d+) uploads/.exec(said.at(-1)!)?.[1];
      assert.equal(Number(told), many - 2);
      assert.equal(said.length, 4); // and the two killed ones
    } finally {
      resetSync();
    }
  },
);
