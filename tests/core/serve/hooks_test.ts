/** The operator's programs, run by the real server before and after a commit. */
import assert from "node:assert/strict";
import { barge, type Server, startServer } from "../../_server.ts";
import { eager, pattern, Peer, sha256, text } from "../door/_peer.ts";
import { hanging, holding, quotaOf, Scripts, serveWith, unix } from "./_hook.ts";

const ignore = !unix;

/** An upload that waits for "go on". @returns the answer */
async function put(peer: Peer, path: string, bytes: Uint8Array) {
  const { offset } = await peer.ask({ verb: "put", path, size: bytes.length });
  const rest = bytes.subarray(offset as number);
  await peer.send({ offset, body: rest.length }, rest, { sha256: sha256(bytes) });
  return await peer.answer();
}

/** Sends an upload, and does not wait for its answer. */
async function begin(peer: Peer, bytes: Uint8Array): Promise<void> {
  const { offset } = await peer.ask({ verb: "put", path: "/home/a", size: bytes.length });
  const rest = bytes.subarray(offset as number);
  await peer.send({ offset, body: rest.length }, rest, { sha256: sha256(bytes) });
}

/** Checks that no arrived byte is sent again. */
async function resume(peer: Peer, bytes: Uint8Array): Promise<void> {
  const { offset } = await peer.ask({ verb: "put", path: "/home/a", size: bytes.length });
  assert.equal(offset, bytes.length);
  await peer.ask({ offset, body: 0 }, { sha256: sha256(bytes) });
}

async function verified(server: Server): Promise<void> {
  for (const verb of [["quota", "verify"], ["verify"]]) {
    const { code, stdout, stderr } = await barge([...verb, "--data", server.data]);
    assert.equal(code, 0, stdout + stderr);
  }
}

function failure(answer: Record<string, unknown>): { kind: string; message: string } {
  assert.equal(answer.ok, false, JSON.stringify(answer));
  return answer.error as { kind: string; message: string };
}

Deno.test({ name: "both hooks get exactly the documented facts", ignore }, async () => {
  using scripts = new Scripts();
  const note = scripts.write(
    "note",
    'cat >> "$D/$1"; cp "$(cut -d\\" -f16 "$D/$1")" "$D/$1.bytes"',
  );
  const { server, token } = await serveWith(
    ...["--check-upload", `${note} check`, "--on-commit", `'${note}' "commit"`],
  );
  await using _ = server;
  using peer = await Peer.open(server.address, token);
  const bytes = text("hello");
  const began = Date.now();
  const modified = "2026-03-01T12:00:00.000Z";
  await peer.ask(eager("/public/a", bytes, { modified }));
  assert.equal(await server.kill("SIGTERM"), 0);
  const [check, commit] = ["check", "commit"].map((name) => JSON.parse(scripts.read(name)));
  for (const { time } of [check, commit]) {
    assert.ok(Date.parse(time) >= began - 1000 && Date.parse(time) <= Date.now() + 1000);
  }
  const facts = {
    account: "anna",
    path: "/public/a",
    size: 5,
    sha256: sha256(bytes),
    modified,
    verified: true,
    door: "native",
    replaced: false,
  };
  const data = await Deno.realPath(server.data);
  assert.deepEqual(commit, {
    ...{ event: "commit", ...facts },
    ...{ file: `${data}/public/a`, time: commit.time, id: commit.id },
  });
  assert.match(commit.id, /^\d+-\d+$/);
  assert.match(check.file, /\/staging\/\d+$/);
  assert.deepEqual(check, { event: "check", ...facts, file: check.file, time: check.time });
  assert.ok(check.file.startsWith(`${data}/staging/`));
});

Deno.test({ name: "a refused upload leaves no file and takes no room", ignore }, async (t) => {
  using scripts = new Scripts();
  const check = scripts.write(
    "check",
    [
      'cat > "$D/facts"',
      `[ -e "$D/ok" ] && exit 0`,
      `printf '\\n\\033[31mEicar\\033[0m FOUND\\r\\nin\\tit\\007\\nthree\\nfour\\n' >&2`,
      "exit 9",
    ].join("\n"),
  );
  const { server, token } = await serveWith("--check-upload", check);
  await using _ = server;
  using peer = await Peer.open(server.address, token);
  scripts.touch("ok");
  await peer.ask(eager("/home/a", text("old")));
  const before = await quotaOf(peer);
  Deno.removeSync(`${scripts.dir}/ok`);
  const large = pattern(400_000);
  for (const path of ["/home/a", "/home/b"]) {
    await t.step(`a small one, ${path}`, async () => {
      await peer.send(eager(path, text("new!")));
      const { kind, message } = failure(await peer.answer());
      assert.deepEqual([kind, message], ["refused", "not accepted: Eicar FOUND; in it; three"]);
      assert.deepEqual(await quotaOf(peer), before);
    });
    await t.step(`a large one, ${path}`, async () => {
      const { kind, message } = failure(await put(peer, path, large));
      assert.deepEqual([kind, message], ["refused", "not accepted: Eicar FOUND; in it; three"]);
      assert.deepEqual(await quotaOf(peer), before);
      assert.equal((await peer.ask({ verb: "put", path, size: 400_000 })).offset, 0);
      const cancel = [{ offset: 0, body: "chunked" }, new Uint8Array(4), { sha256: null }];
      assert.equal(await peer.fail(...cancel), "interrupted");
    });
    assert.equal(JSON.parse(scripts.read("facts")).replaced, path === "/home/a");
  }
  await peer.ask({ verb: "get", path: "/home/a", offset: 0 });
  assert.equal(new TextDecoder().decode(await peer.body()), "old");
  await peer.answer();
  assert.equal(await peer.fail({ verb: "get", path: "/home/b", offset: 0 }), "not-found");
  assert.deepEqual([...Deno.readDirSync(`${server.data}/staging`)], []);
  await verified(server);
  assert.equal(await server.kill("SIGTERM"), 0);
  const refused = server.stderr().match(/"verb":"put".*"outcome":"refused"/g);
  assert.equal(refused?.length, 4);
});

Deno.test(
  { name: "a refusal without output, and concurrent small uploads", ignore },
  async () => {
    using scripts = new Scripts();
    // Odd names are refused; stdin is not read.
    const check = scripts.write("check", `exec <&-; [ -e "$D/$1" ]`);
    const { server, token } = await serveWith("--check-upload", `${check} ok`);
    await using _ = server;
    using peer = await Peer.open(server.address, token);
    await peer.send(eager("/home/x", text("x")));
    assert.equal(failure(await peer.answer()).message, "it was not accepted");
    scripts.touch("ok");
    const many = 40;
    for (let i = 0; i < many; i++) await peer.send(eager(`/home/${i}`, text("x".repeat(i))));
    for (let i = 0; i < many; i++) assert.equal((await peer.answer()).ok, true);
    assert.deepEqual(await quotaOf(peer), { used: many * (many - 1) / 2, reserved: 0 });
    await verified(server);
  },
);

Deno.test({ name: "no file name breaks the facts, the message or the log", ignore }, async () => {
  using scripts = new Scripts();
  const note = scripts.write("note", 'cat >> "$D/facts"; cat >&2 "$D/facts"; exit 1');
  const { server, token } = await serveWith("--on-commit", note);
  await using _ = server;
  using peer = await Peer.open(server.address, token);
  const names = ['a\n{"event":"commit"}', "b\u001b[31m\r", "c$(touch x)'\"`", "Ä\u202e😀", "-rf"];
  for (const name of names) await peer.ask(eager(`/home/${name}`, text("x")));
  assert.equal(await server.kill("SIGTERM"), 0);
  const facts = scripts.read("facts").trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(facts.map(({ path }) => path).sort(), names.map((n) => `/home/${n}`).sort());
  for (const { file } of facts) assert.equal(Deno.readTextFileSync(file), "x");
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(server.stderr(), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]/);
  assert.equal(
    server.stderr().match(/^\{.*--on-commit ended with 1 .*"barge\.events".*\}$/gm)?.length,
    5,
  );
});

Deno.test(
  { name: "a check that takes too long is killed, and can be repeated", ignore },
  async () => {
    using scripts = new Scripts();
    const check = await hanging(scripts);
    const { server, token } = await serveWith("--check-upload", check, "--hook-timeout", "1");
    await using _ = server;
    using peer = await Peer.open(server.address, token);
    const large = pattern(400_000);
    const [answer, released] = await Promise.all([put(peer, "/home/a", large), holding(scripts)]);
    const { kind, message } = failure(answer);
    assert.deepEqual([kind, message], ["unavailable", "the check of the upload took too long"]);
    await released();
    assert.deepEqual(await quotaOf(peer), { used: 0, reserved: 400_000 });
    scripts.touch("ok");
    await resume(peer, large);
    assert.deepEqual(await quotaOf(peer), { used: 400_000, reserved: 0 });
    await verified(server);
    assert.match(server.stderr(), /can't check the upload of .*\/home\/a.*took too long/);
  },
);

Deno.test(
  { name: "a client that leaves ends the check; its upload can be resumed", ignore },
  async () => {
    using scripts = new Scripts();
    const { server, token } = await serveWith("--check-upload", await hanging(scripts));
    await using _ = server;
    const large = pattern(400_000);
    {
      using peer = await Peer.open(server.address, token);
      await begin(peer, large);
      const released = await holding(scripts);
      peer.stream.close();
      await released();
      await server.said('"outcome":"unavailable"');
    }
    scripts.touch("ok");
    using peer = await Peer.open(server.address, token);
    await resume(peer, large);
  },
);

Deno.test(
  { name: "a stopping server kills the checks that outlast --grace", ignore },
  async (t) => {
    const large = pattern(400_000);
    for (const [signals, code] of [[["SIGTERM"], 0], [["SIGTERM", "SIGINT"], 130]] as const) {
      await t.step(signals.join(", then "), async () => {
        using scripts = new Scripts();
        const grace = signals.length > 1 ? "600" : "1";
        const check = await hanging(scripts);
        const { server, token } = await serveWith("--check-upload", check, "--grace", grace);
        await using _ = server;
        using peer = await Peer.open(server.address, token);
        using idle = await Peer.open(server.address);
        await begin(peer, large);
        const released = await holding(scripts);
        for (const signal of signals) {
          server.process.kill(signal);
          if (signal === "SIGTERM") await idle.gone(); // the server is stopping
        }
        assert.equal(await server.ended, code);
        await released();
      });
    }
  },
);

Deno.test(
  { name: "a worker that dies during a check leaves no program running", ignore },
  async () => {
    using scripts = new Scripts();
    const check = await hanging(scripts);
    const large = pattern(400_000);
    const args = ["--workers", "1", "--check-upload", check];
    await using dying = await startServer({ args, fault: "die-on=dies" });
    const { data } = dying;
    await dying.addUser("anna", { quota: "1000000" });
    const token = await dying.issueToken("anna");
    {
      using peer = await Peer.open(dying.address, token);
      await begin(peer, large);
      const released = await holding(scripts);
      Deno.writeTextFileSync(`${data}/removed/dies`, "");
      await dying.said("died: ");
      await released();
      await peer.gone();
    }
    await dying.kill("SIGKILL");
    scripts.touch("ok");
    await using again = await startServer({ data, args });
    using peer = await Peer.open(again.address, token);
    await resume(peer, large);
    assert.deepEqual(await quotaOf(peer), { used: 400_000, reserved: 0 });
    await verified(again);
  },
);

Deno.test("a missing or unusable hook program is reported at the start", async () => {
  using scripts = new Scripts();
  Deno.writeTextFileSync(`${scripts.dir}/plain`, "", { mode: 0o644 });
  const cases = [
    ["--on-commit", "/no/such/program x", /--on-commit \/no\/such\/program: there is no such/],
    ["--check-upload", "no-such-program", /--check-upload no-such-program: there is no such/],
    ["--check-upload", `${scripts.dir}/plain`, /plain: it is not executable/],
    ["--on-commit", "jq .path >> log", /no shell reads it/],
    ["--on-commit", "", /is not a program/],
  ] as const;
  for (const [option, command, message] of cases) {
    const args = [
      "serve",
      "--data",
      `${scripts.dir}/data`,
      "--native",
      "127.0.0.1:0",
      "--http",
      "off",
    ];
    const { code, stderr } = await barge([...args, option, command]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
  const { code, stderr } = await barge(
    ["serve", "--data", `${scripts.dir}/data`, "--check-upload", "true", "--hook-timeout", "51"],
  );
  assert.equal(code, 2, stderr);
  assert.match(stderr, /--hook-timeout: a check may take 50 seconds at most/);
  assert.ok(!scripts.has("data"));
});
