/** The commit hook: it delays no upload, and gets each upload, also after failures and restarts. */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { until } from "../../_observe.ts";
import { barge, startServer } from "../../_server.ts";
import { waitingEvents } from "../../cli/_receiver.ts";
import { eager, Peer, text } from "../door/_peer.ts";
import { hanging, holding, Scripts, serveWith, unix, waitFor } from "./_hook.ts";

const ignore = !unix;

Deno.test({ name: "a slow commit hook delays no upload, and gets each", ignore }, async () => {
  using scripts = new Scripts();
  const slow = scripts.write("slow", `${waitFor("go")}\ncat >> "$D/told"`);
  const { server, token } = await serveWith("--on-commit", slow, "--hook-jobs", "8");
  await using _ = server;
  using peer = await Peer.open(server.address, token);
  const many = 24;
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
  assert.doesNotMatch(server.stderr(), /barge\.events/);
});

Deno.test(
  { name: "commits that a worker reported before it died reach the hook", ignore },
  async () => {
    using scripts = new Scripts();
    const note = scripts.write("note", 'cat >> "$D/told"');
    const args = ["--workers", "1", "--on-commit", note];
    await using dying = await startServer({ args, fault: "die=1" });
    await dying.addUser("anna");
    const token = await dying.issueToken("anna");
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

Deno.test(
  { name: "a commit hook that fails or hangs is logged, and runs again", ignore },
  async () => {
    using scripts = new Scripts();
    const hang = await hanging(scripts);
    const run = scripts.write(
      "run",
      'F=$(cat); echo "$F" >> "$D/told"; [ -e "$D/ok" ] && exit 0\n' +
        `case "$F" in *'/home/hang"'*) exec ${hang};; esac\necho went wrong >&2\nexit 3`,
    );
    const { server, token } = await serveWith("--on-commit", run, "--hook-timeout", "1");
    await using _ = server;
    using peer = await Peer.open(server.address, token);
    await peer.ask(eager("/home/fail", text("x")));
    await peer.ask(eager("/home/hang", text("x")));
    await (await holding(scripts))();
    await server.said("killed after 1 s for /home/hang of anna");
    await server.said("ended with 3 for /home/fail of anna: went wrong");
    scripts.touch("ok");
    const { code } = await barge(["event", "retry", "--data", server.data]);
    assert.equal(code, 0);
    await until(() => waitingEvents(server.data) === 0);
    assert.equal(await server.kill("SIGTERM"), 0);
    const told = scripts.read("told").trimEnd().split("\n").map((line) => JSON.parse(line));
    for (const path of ["/home/fail", "/home/hang"]) {
      const ids = told.filter((facts) => facts.path === path).map(({ id }) => id);
      assert.ok(ids.length >= 2);
      assert.equal(new Set(ids).size, 1);
    }
  },
);

Deno.test(
  { name: "commit hooks that --grace cuts off run at the next start", ignore },
  async () => {
    using scripts = new Scripts();
    const hang = await hanging(scripts);
    const note = scripts.write("note", `[ -e "$D/ok" ] || exec ${hang}; cat >> "$D/told"`);
    const args = ["--on-commit", note, "--hook-jobs", "1", "--grace", "1"];
    const { server, token } = await serveWith(...args);
    await using _ = server;
    const paths = Array.from({ length: 5 }, (_, i) => `/home/${i}`);
    {
      using peer = await Peer.open(server.address, token);
      for (const path of paths) await peer.ask(eager(path, text("x")));
      const released = await holding(scripts);
      assert.equal(await server.kill("SIGTERM"), 0);
      await released();
    }
    scripts.touch("ok");
    await using again = await startServer({ data: server.data, args: ["--workers", "1", ...args] });
    const told = () => scripts.has("told") ? scripts.read("told").trimEnd().split("\n") : [];
    await until(() => told().length === paths.length);
    assert.deepEqual(told().map((line) => JSON.parse(line).path), paths);
    assert.equal(await again.kill("SIGTERM"), 0);
  },
);
