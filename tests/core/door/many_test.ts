/** PUT-MANY and GET-MANY: many small files in one request, each with its own fate. */
import assert from "node:assert/strict";
import { onTwoNodes, startServer } from "../../_server.ts";
import { type Bytes, eager, join, pattern, Peer, sha256, text } from "./_peer.ts";

interface Answer {
  readonly [field: string]: unknown;
  readonly failed: { file: number; error: { kind: string; message: string } }[];
  readonly files: ({ size?: number; sha256?: string; error?: { kind: string } } | null)[];
}

/** What an answer says of each file, in short. */
const fates = (answer: Answer): (string | null)[] =>
  answer.files.map((file) => file && (file.error?.kind ?? "ok"));

function putMany(files: Record<string, Bytes>, fields: object = {}): Bytes {
  const bodies = Object.values(files);
  return join(
    {
      verb: "put-many",
      files: Object.entries(files).map(([path, bytes]) => ({
        ...{ path, size: bytes.length, sha256: sha256(bytes) },
      })),
      body: bodies.reduce((sum, { length }) => sum + length, 0),
      ...fields,
    },
    ...bodies,
    { sha256: null, whole: true },
  );
}

const access = (log: string): string[] =>
  log.split("\n").filter((line) => line.includes('"barge.access"')).map((line) => {
    const { verb, path, bytes, outcome } = JSON.parse(line);
    return [verb, path, bytes, outcome].join(" ");
  });

Deno.test("each file of a request has its own fate, its own record and its own charge", async () => {
  await using server = await startServer({ args: ["--workers", "1"] });
  await server.addUser("anna", { quota: "100" });
  using peer = await Peer.open(server.address, "anna");
  const put = await peer.ask(putMany({
    "/home/a": text("aaaa"),
    "/home/none/b": text("bb"),
    "/home/large": pattern(97), // no room for it beside the others
    "/home/c": text(""),
    "/home": text("d"),
    "/home/../e": text("e"),
  })) as Answer;
  assert.deepEqual(put.failed.map(({ file, error }) => [file, error.kind]), [
    ...[[1, "no-directory"], [2, "over-quota"], [4, "exists"], [5, "usage"]],
  ]);
  assert.match(put.failed[1].error.message, /needs 97 bytes, 9[0-6] are left/);
  const { used, reserved } = await peer.ask({ verb: "quota" });
  assert.deepEqual([used, reserved], [4, 0]);
  assert.equal(await server.stagedUploads(), 0);

  const got = await peer.ask({
    verb: "get-many",
    paths: ["/home/c", "/home/a", "/home/none", "/home", "/else"],
  }) as Answer;
  assert.deepEqual(fates(got), ["ok", "ok", "not-found", "exists", "not-found"]);
  assert.equal(got.files[1]?.sha256, sha256(text("aaaa")));
  assert.deepEqual(await peer.body(), text("aaaa"));
  assert.deepEqual(await peer.answer(), { sha256: null, whole: true });

  await peer.ask({ verb: "bye" });
  assert.equal(await server.kill("SIGTERM"), 0);
  const told = access(server.stderr()).slice(3);
  assert.deepEqual(told.filter((line) => line.startsWith("put")).sort(), [
    "put /home 1 exists",
    "put /home/../e 1 usage",
    "put /home/a 4 ok",
    "put /home/c 0 ok",
    "put /home/large 97 over-quota",
    "put /home/none/b 2 no-directory",
  ]);
  assert.deepEqual(told.filter((line) => line.startsWith("get")), [
    "get /home/c 0 ok",
    "get /home/a 4 ok",
    "get /home/none 0 not-found",
    "get /home 0 exists",
    "get /else 0 not-found",
  ]);
});

Deno.test("bodies that are not what was said leave nothing, and what stands behind is answered", async (t) => {
  await using server = await startServer({ args: ["--workers", "1"] });
  await server.addUser("anna");
  const token = await server.issueToken("anna");
  const files = { "/home/x": text("xx"), "/home/y": text("yyy") };

  await t.step("given up", async () => {
    using peer = await Peer.open(server.address, token);
    const request = putMany(files);
    const trailer = join({ sha256: null, whole: true });
    await peer.send(request.subarray(0, request.length - trailer.length), { sha256: null });
    const { failed } = await peer.answer() as Answer;
    assert.deepEqual(failed.map(({ error }) => error.kind), ["interrupted", "interrupted"]);
    assert.equal(await peer.fail({ verb: "stat", path: "/home/x" }), "not-found");
  });

  await t.step("another digest", async () => {
    using peer = await Peer.open(server.address, token);
    const said = [{ path: "/home/x", size: 2, sha256: "0".repeat(64) }];
    const { failed } = await peer.ask(
      putMany({ "/home/x": text("xx") }, { files: said }),
    ) as Answer;
    assert.deepEqual(failed.map(({ error }) => error.kind), ["digest"]);
  });

  await t.step("cut off in the body", async () => {
    {
      using peer = await Peer.open(server.address, token);
      const request = putMany(files);
      await peer.send(request.subarray(0, request.length - 40));
    }
    using peer = await Peer.open(server.address, token);
    assert.equal(await peer.fail({ verb: "stat", path: "/home/x" }), "not-found");
    assert.equal((await peer.ask({ verb: "quota" })).reserved, 0);
  });

  await t.step("what does not fit ends the connection", async () => {
    const bodies: [object, Bytes][] = [
      [{ body: 4 }, text("xxyy")],
      [{ files: [], body: 0 }, text("")],
      [{ files: Array(65).fill({ path: "/home/x", size: 0, sha256: sha256(text("")) }) }, text("")],
    ];
    for (const [fields, body] of bodies) {
      using peer = await Peer.open(server.address, token);
      const request = { verb: "put-many", files: [], body: body.length, ...fields };
      assert.equal(await peer.fail(request, body, { sha256: null, whole: true }), "protocol");
      await peer.gone();
    }
    using peer = await Peer.open(server.address, token);
    const twice = { path: "/home/x", size: 1, sha256: sha256(text("x")) };
    const request = { verb: "put-many", files: [twice, twice], body: 2 };
    assert.equal(await peer.fail(request, text("xx"), { sha256: null, whole: true }), "protocol");
  });

  await t.step(
    "a path again in the next request comes after it, as does any other verb",
    async () => {
      using peer = await Peer.open(server.address, token);
      await peer.send(
        putMany({ "/home/p": text("1"), "/home/q": text("1") }),
        putMany({ "/home/q": text("22"), "/home/r": text("22") }),
        eager("/home/r", text("333")),
        { verb: "get-many", paths: ["/home/p", "/home/q", "/home/r"] },
      );
      for (let i = 0; i < 2; i++) assert.deepEqual((await peer.answer() as Answer).failed, []);
      assert.equal((await peer.answer()).ok, true);
      const { files } = await peer.answer() as Answer;
      assert.deepEqual(files.map((file) => file?.size), [1, 2, 3]);
      assert.deepEqual(await peer.body(), text("122333"));
    },
  );
});

const byHand = "what is there by hand has a digest, what is too large is to be asked for alone";
Deno.test(byHand, { ignore: onTwoNodes }, async () => {
  await using server = await startServer({ args: ["--workers", "1"] });
  await server.addUser("anna");
  using peer = await Peer.open(server.address, "anna");
  const home = `${server.data}/homes/anna`;
  Deno.writeFileSync(`${home}/hand`, text("by hand"));
  Deno.writeFileSync(`${home}/half`, pattern(600_000));
  Deno.writeFileSync(`${home}/large`, pattern(1024 * 1024 + 1));
  Deno.symlinkSync("hand", `${home}/link`);
  const paths = ["large", "half", "hand", "half", "link"].map((name) => `/home/${name}`);
  const answer = await peer.ask({ verb: "get-many", paths }) as Answer;
  assert.deepEqual(fates(answer), [null, "ok", "ok", null, "denied"]);
  assert.equal(answer.files[2]?.sha256, sha256(text("by hand")));
  assert.deepEqual(await peer.body(), join(pattern(600_000), text("by hand")));
});

Deno.test("many failures fit into one answer, however long they are", async () => {
  await using server = await startServer({ args: ["--workers", "1"] });
  await server.addUser("anna");
  using peer = await Peer.open(server.address, "anna");
  const long = `/home/${"€".repeat(80)}/`.repeat(1);
  const files = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [long + i, text("x")]));
  const { failed } = await peer.ask(putMany(files)) as Answer;
  assert.deepEqual(failed.map(({ error }) => error.kind), Array(64).fill("no-directory"));
  await peer.ask({ verb: "ping" });
});
