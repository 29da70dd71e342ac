/** Events on one machine: a webhook that fails now and then, kills of the server, bounds, and the verbs. */
import assert from "node:assert/strict";
import { BargeError } from "../../core/error.ts";
import { until } from "../_observe.ts";
import { Random } from "../_random.ts";
import { barge, type Server, startServer } from "../_server.ts";
import { eager, Peer, text } from "../core/door/_peer.ts";
import { type Received, Receiver, waitingEvents } from "./_receiver.ts";

const failing = () => new Response(null, { status: 500 });

async function withServer(
  receiver: Receiver,
  args: readonly string[],
  work: (server: Server, token: string) => Promise<void>,
): Promise<void> {
  const all = [...receiver.args, ...args];
  await using server = await startServer({ args: all, env: receiver.env });
  await server.addUser("anna", { quota: "100000000" });
  await work(server, await server.issueToken("anna"));
}

interface Listed {
  readonly id: number;
  readonly attempts: number;
  readonly error: string | null;
  readonly facts: Received;
}

async function list(server: Server, ...args: string[]): Promise<Listed[]> {
  const { code, stdout, stderr } = await event(server, "list", "--json", ...args);
  assert.equal(code, 0, stderr);
  return stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

function event(server: Server, ...words: string[]) {
  return barge(["event", ...words, "--data", server.data]);
}

/** One of the cases that share a server and its receiver, with an account of its own. */
interface Case {
  readonly receiver: Receiver;
  readonly server: Server;
  readonly token: string;
}

Deno.test("events of one server", async (t) => {
  await using receiver = new Receiver();
  const args = [...receiver.args, "--http", "127.0.0.1:0"];
  await using server = await startServer({ args, env: receiver.env });
  const cases: [string, string, (one: Case) => Promise<void>][] = [
    [
      "carla",
      "a receiver that fails gets each event, in order for each path",
      deliverDespiteFaults,
    ],
    ["dora", "events of a folder are in order with those of the files in it", keepOrderInFolder],
    ["emma", "while one path fails, the others go on; retry and drop", retryAndDrop],
    ["fred", "changes by WebDAV are events with their door", changeByWebDAV],
  ];
  for (const [account, name, run] of cases) {
    await t.step(name, async () => {
      await server.addUser(account, { quota: "100000000", password: "anna-secret" });
      await until(() => waitingEvents(server.data) === 0);
      receiver.forget();
      await run({ receiver, server, token: await server.issueToken(account) });
    });
  }
});

async function deliverDespiteFaults({ receiver, server, token }: Case): Promise<void> {
  const stopped = new AbortController();
  const faults: (() => Response | Promise<Response>)[] = [
    failing,
    () => new Response(null, { status: 503 }),
    () => new Response(null, { status: 404 }),
    () => new Response(null, { status: 302, headers: { location: receiver.url } }),
    () => new Response(null, { status: 429, headers: { "retry-after": "1" } }),
    () => new Response(new ReadableStream({ start: (body) => body.error(new Error("cut")) })),
    // No answer, until the server gives up.
    () =>
      new Promise<Response>((resolve) =>
        stopped.signal.addEventListener("abort", () => resolve(failing()))
      ),
  ];
  const faultOf = new Map<string, () => Response | Promise<Response>>();
  receiver.answer = ({ id }, attempt) => {
    if (attempt > 1) return new Response();
    if (!faultOf.has(id) && faultOf.size % 2 === 0) {
      faultOf.set(id, faults[faultOf.size / 2 % faults.length]);
      return faultOf.get(id)!();
    }
    faultOf.set(id, failing);
    return new Response();
  };
  using peer = await Peer.open(server.address, token);
  const names = Array.from({ length: 6 }, (_, i) => `${i}`);
  for (const name of names) {
    await peer.ask(eager(`/home/${name}`, text("old")));
    await peer.ask(eager(`/home/${name}`, text("new")));
    await peer.ask({ verb: "move", from: `/home/${name}`, to: `/home/m${name}` });
    await peer.ask(eager(`/home/${name}`, text("third")));
    await peer.ask({ verb: "remove", path: `/home/m${name}` });
  }
  await until(() => waitingEvents(server.data) === 0);
  stopped.abort();
  for (const name of names) {
    const about = receiver.taken.filter(({ path, from }) =>
      [`/home/${name}`, `/home/m${name}`].includes(path!) || from === `/home/${name}`
    );
    const unique = about.filter(({ id }, i) => about.findIndex((e) => e.id === id) === i);
    const kinds = unique.map(({ event, path, size }) => `${event} ${path} ${size ?? ""}`.trim());
    const [moved, rest] = [kinds.slice(0, 3), kinds.slice(3).sort()];
    assert.deepEqual(moved, [
      `commit /home/${name} 3`,
      `commit /home/${name} 3`,
      `move /home/m${name}`,
    ]);
    // These two touch different paths.
    assert.deepEqual(rest, [`commit /home/${name} 5`, `remove /home/m${name}`]);
    assert.deepEqual([unique[0].replaced, unique[1].replaced], [false, true]);
  }
  assert.ok(receiver.maxConcurrent <= 8);
}

async function keepOrderInFolder({ receiver, server, token }: Case): Promise<void> {
  receiver.answer = (_, attempt) => attempt === 1 ? failing() : new Response();
  using peer = await Peer.open(server.address, token);
  await peer.ask({ verb: "mkdir", path: "/home/a" });
  await peer.ask(eager("/home/a/f", text("x")));
  await peer.ask({ verb: "move", from: "/home/a", to: "/home/b" });
  await peer.ask(eager("/home/b/f", text("y")));
  await peer.ask({ verb: "remove", path: "/home/b", recursive: true });
  await receiver.took(({ event }) => event === "remove");
  const kinds = receiver.taken.filter(({ path }) => path).map(({ event, path }) =>
    `${event} ${path}`
  );
  assert.deepEqual(kinds, [
    ...["mkdir /home/a", "commit /home/a/f", "move /home/b"],
    ...["commit /home/b/f", "remove /home/b"],
  ]);
}

async function retryAndDrop({ receiver, server, token }: Case): Promise<void> {
  receiver.answer = ({ path }) => path === "/home/bad" ? failing() : new Response();
  using peer = await Peer.open(server.address, token);
  await peer.ask(eager("/home/bad", text("1")));
  await peer.ask(eager("/home/bad", text("2")));
  for (let i = 0; i < 20; i++) await peer.ask(eager(`/home/${i}`, text("x")));
  for (let i = 0; i < 20; i++) await receiver.took(({ path }) => path === `/home/${i}`);
  const bad = await until(async () => {
    const found = await list(server);
    return found.length === 2 && found[0].attempts > 0 ? found : undefined;
  });
  assert.deepEqual(bad.map(({ facts }) => facts.path), ["/home/bad", "/home/bad"]);
  assert.equal(bad[0].error, "it answered 500");
  assert.deepEqual([bad[1].attempts, bad[1].error], [0, null]);
  assert.deepEqual((await list(server, "--failing")).map(({ id }) => id), [bad[0].id]);

  const dropped = await event(server, "drop", `${bad[0].id}`, "999999999", "--json");
  assert.deepEqual([dropped.code, JSON.parse(dropped.stdout)], [4, { dropped: 1 }]);
  assert.match(dropped.stderr, /^barge: event drop 999999999: there is no such event$/m);
  for (const verb of ["drop", "retry"]) {
    const unknown = await event(server, verb, `${bad[0].id}`, "--json");
    assert.deepEqual([unknown.code, unknown.stdout], [4, ""], verb);
    assert(unknown.stderr.includes(`barge: event ${verb} ${bad[0].id}: `), unknown.stderr);
  }
  receiver.answer = () => new Response();
  assert.equal((await event(server, "retry")).code, 0);
  await receiver.took(({ path }) => path === "/home/bad");
  await until(() => waitingEvents(server.data) === 0);
  assert.equal((await event(server, "drop")).code, 2);
}

Deno.test("kill -9 at any moment: each acknowledged upload is delivered at least once", async () => {
  await using receiver = new Receiver();
  const random = new Random(19);
  const dice = () => random.next();
  receiver.answer = () => dice() < 0.1 ? failing() : new Response();
  const acknowledged: string[] = [];
  await withServer(receiver, [], async (first, token) => {
    let server = first;
    for (let round = 0; round < 4; round++) {
      const killed = acknowledged.length + 1 + random.below(10);
      try {
        using peer = await Peer.open(server.address, token);
        while (true) {
          const path = `/home/${round}-${acknowledged.length}`;
          // The kill comes at any moment of one of the uploads.
          if (acknowledged.length === killed) {
            setTimeout(() => server.process.kill("SIGKILL"), random.below(20));
          }
          await peer.ask(eager(path, text(path)));
          acknowledged.push(path);
        }
      } catch (error) {
        if (!(error instanceof BargeError || error instanceof assert.AssertionError)) throw error;
      }
      await server.ended;
      server = await startServer({ data: first.data, args: receiver.args, env: receiver.env });
    }
    try {
      await until(() => waitingEvents(server.data) === 0);
      const paths = new Set(receiver.paths());
      assert.deepEqual(acknowledged.filter((path) => !paths.has(path)), []);
      assert.ok(acknowledged.length > 4);
    } finally {
      await server.kill("SIGKILL");
    }
  });
});

Deno.test("kill -9 between a delivery and its record: delivered twice, with one id", async () => {
  await using receiver = new Receiver();
  const held = receiver.hold("/home/a");
  await withServer(receiver, [], async (server, token) => {
    {
      using peer = await Peer.open(server.address, token);
      await peer.ask(eager("/home/a", text("x")));
    }
    await held.arrived;
    await server.kill("SIGKILL");
    held.release();
    await using _again = await startServer({
      data: server.data,
      args: receiver.args,
      env: receiver.env,
    });
    const ids = await until(() => {
      const ids = receiver.taken.filter(({ path }) => path === "/home/a").map(({ id }) => id);
      return ids.length === 2 ? ids : undefined;
    });
    assert.equal(ids[0], ids[1]);
  });
});

Deno.test("SIGTERM waits for a delivery under way, and a lasting one is repeated", async () => {
  await using receiver = new Receiver();
  const held = receiver.hold("/home/a");
  await withServer(receiver, [], async (server, token) => {
    {
      using peer = await Peer.open(server.address, token);
      await peer.ask(eager("/home/a", text("x")));
    }
    await held.arrived;
    server.signal("SIGTERM");
    await server.said("stopping");
    held.release();
    assert.equal(await server.ended, 0);
    assert.deepEqual(receiver.paths().filter(Boolean), ["/home/a"]);
    assert.deepEqual(await list(server), []);
  });
});

Deno.test("beyond the bound the oldest events are dropped, and no upload waits", async () => {
  await using receiver = new Receiver();
  receiver.answer = failing;
  const metrics = ["--metrics", "127.0.0.1:0", "--event-limit", "10"];
  await withServer(receiver, metrics, async (server, token) => {
    using peer = await Peer.open(server.address, token);
    for (let i = 0; i < 30; i++) await peer.ask(eager(`/home/${i}`, text("x")));
    await until(() => waitingEvents(server.data) === 10);
    await server.said("more than 10 wait");
    const shown = await (await fetch(`http://${server.facts.metrics}/metrics`)).text();
    const value = (name: string) =>
      Number(new RegExp(`^barge_${name} (.+)$`, "m").exec(shown)?.[1]);
    assert.equal(value("events_waiting"), 10);
    assert.ok(value("events_failing") > 0);
    assert.ok(value("events_dropped_total") >= 20);
    assert.ok(value("event_failures_total") > 0);
    const age = Date.now() / 1000 - value("events_oldest_timestamp_seconds");
    assert.ok(age > 0 && age < 600);
    receiver.answer = () => new Response();
    await event(server, "retry");
    await receiver.took(({ path }) => path === "/home/29");
    await until(() => waitingEvents(server.data) === 0);
    const paths = Array.from({ length: 10 }, (_, i) => `/home/${20 + i}`);
    assert.deepEqual(receiver.paths().sort(), paths.sort());
  });
});

Deno.test("logins that fail, bans and changes of accounts are events, also by commands", async () => {
  await using receiver = new Receiver();
  const doors = ["--http", "127.0.0.1:0", "--ban-after", "3"];
  await withServer(receiver, doors, async (server) => {
    const url = `http://${server.facts.http}/api/v1/account`;
    const authorization = `Basic ${btoa("anna:wrong-password")}`;
    for (let i = 0; i < 3; i++) {
      const { status, body } = await fetch(url, { headers: { authorization } });
      await body?.cancel();
      assert.equal(status, 401);
    }
    const revoked = `Basic ${btoa(`anna:barge_0123456789ab_${"s".repeat(43)}`)}`;
    await (await fetch(url, { headers: { authorization: revoked } })).body?.cancel();
    await receiver.took(({ mechanism }) => mechanism === "token");
    const ban = await receiver.took(({ event }) => event === "ban");
    assert.deepEqual([ban.account, ban.address, ban.times], ["anna", "127.0.0.1", 1]);
    const failed = receiver.taken.filter(({ event }) => event === "login-failed");
    assert.deepEqual(failed.map(({ account, mechanism }) => [account, mechanism]), [
      ["anna", "password"],
      ["anna", "password"],
      ["anna", "password"],
      ["anna", "token"],
    ]);
    const { stdout } = await barge(["audit", "--json", "--account", "anna", "--data", server.data]);
    const trail = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    // Failures of one kind are one record for each minute in which they happen.
    const secrets = trail.filter(({ event }) => event === "login-failed")
      .map(({ account, details }) => `${account} ${details.with}`);
    assert.deepEqual([...new Set(secrets)], ["anna token", "anna password"]);
    const password = `${server.data}/../${crypto.randomUUID()}`;
    await Deno.writeTextFile(password, "a-long-password\n");
    try {
      const data = ["--data", server.data];
      const run = async (...words: string[]) => {
        const { code, stderr } = await barge([...words, ...data]);
        assert.equal(code, 0, stderr);
      };
      await run("user", "add", "ben", "--password-file", password);
      await run("quota", "set", "ben", "5MB");
      await run("user", "disable", "ben");
      await run("user", "remove", "ben");
    } finally {
      await Deno.remove(password);
    }
    await receiver.took(({ event }) => event === "account-removed");
    const ben = receiver.taken.filter(({ account }) => account === "ben");
    assert.deepEqual(ben.map(({ event, changed }) => [event, changed]), [
      ["account-added", undefined],
      ["account-changed", ["quota"]],
      ["account-changed", ["disabled"]],
      ["account-removed", undefined],
    ]);
  });
});

async function changeByWebDAV({ receiver, server }: Case): Promise<void> {
  const headers = { authorization: `Basic ${btoa("fred:anna-secret")}` };
  const dav = async (method: string, path: string, to?: string) => {
    const url = (path: string) => `http://${server.facts.http}/dav${path}`;
    const more: Record<string, string> = to === undefined ? {} : { destination: url(to) };
    const body = method === "PUT" ? "x" : undefined;
    const response = await fetch(url(path), { method, body, headers: { ...headers, ...more } });
    await response.body?.cancel();
    assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  };
  await dav("MKCOL", "/home/d");
  await dav("PUT", "/home/d/a");
  await dav("COPY", "/home/d/a", "/home/d/b");
  await dav("MOVE", "/home/d/b", "/home/d/c");
  await dav("DELETE", "/home/d");
  await receiver.took(({ event }) => event === "remove");
  const files = receiver.taken.filter(({ path }) => path);
  const kinds = files.map(({ event, path, door }) => `${event} ${path} ${door}`);
  assert.deepEqual(kinds.toSorted(), [
    "commit /home/d/a http",
    "commit /home/d/b http",
    "mkdir /home/d http",
    "move /home/d/c http",
    "remove /home/d http",
  ]);
  assert.deepEqual([kinds[0], kinds.at(-1)], ["mkdir /home/d http", "remove /home/d http"]);
}

Deno.test("410 drops an event, and a server without targets writes none", async () => {
  await using receiver = new Receiver();
  receiver.answer = () => new Response(null, { status: 410 });
  await withServer(receiver, [], async (server, token) => {
    {
      using peer = await Peer.open(server.address, token);
      await peer.ask(eager("/home/a", text("x")));
    }
    await server.said("it answered 410");
    await until(() => waitingEvents(server.data) === 0);
    await server.kill("SIGTERM");
    await using again = await startServer({ data: server.data });
    using peer = await Peer.open(again.address, token);
    await peer.ask(eager("/home/b", text("x")));
    await again.addUser("ben", {});
    assert.deepEqual(await list(again), []);
  });
});

Deno.test("a webhook needs a secret, and its URL no password", async () => {
  const serve = ["serve", "--data", "/nonexistent/x", "--native", "127.0.0.1:0", "--http", "off"];
  const cases = [
    [["--webhook", "http://127.0.0.1:9/"], {}, /the secret of the webhooks is missing/],
    [["--webhook", "http://a:b@127.0.0.1/"], {}, /is not a URL .* without a name and a password/],
    [["--webhook", "ftp://127.0.0.1/"], {}, /is not a URL/],
    [
      ["--webhook", "http://127.0.0.1:9/"],
      { BARGE_WEBHOOK_SECRET: "whsec_c2hvcnQ=" },
      /24 to 64 bytes/,
    ],
  ] as const;
  for (const [args, env, message] of cases) {
    const { code, stderr } = await barge([...serve, ...args], { env });
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /c2hvcnQ/);
  }
});
