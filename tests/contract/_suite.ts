/**
 * What every door promises (the README's promises), told by its own clients: the same files, the same
 * quota, the same half-finished uploads. The native protocol is the witness at the other side.
 */
import assert from "node:assert/strict";
import { until } from "../_observe.ts";
import type { Server } from "../_server.ts";
import { eager, pattern, Peer, sha256 } from "../core/door/_peer.ts";
import { type DoorUnderTest, Refused, type Visitor } from "./_door.ts";
import { entryPromises } from "./_entries.ts";
import { type Host, oneMachine } from "./_host.ts";
import { awkwardNames } from "./_names.ts";
import { accountLimitPromises } from "./_account_limits.ts";
import { auditPromises } from "./_audit.ts";
import { scopePromises } from "./_scopes.ts";
import { secondFactorPromises } from "./_second_factor.ts";

const large = 700_000;
/** The password of every account here: its verifier is made once. */
export const password = "contract-secret";

/** Declares the test of one door: a step a promise, each with an account of its own. */
export function contract(door: DoorUnderTest, host: Host = oneMachine): void {
  Deno.test({
    name: `the ${door.name} door keeps the contract${host.name}`,
    ignore: host.missing,
    fn: (t) => keep(door, host, t),
  });
}

async function keep(door: DoorUnderTest, host: Host, t: Deno.TestContext): Promise<void> {
  await using server = await host.start(door.args);
  const promises = promisesOf(door, host);
  for (const [i, { name, work, limits = {} }] of promises.entries()) {
    await t.step(name, async () => {
      await using stage = await Stage.open(door, server, `user${i}`, limits);
      await work(stage);
    });
  }
  await t.step("ledger, disk and digests agree after all that", async () => {
    await until(async () => await server.heldUploads() === 0);
    await server.verify();
  });
}

const numbers = (a: number, b: number) => a - b;

/** One promise, and the account that it is shown with. */
export interface Promised {
  readonly name: string;
  readonly work: (stage: Stage) => Promise<void>;
  readonly limits?: Limits;
}

/** Of an account. */
interface Limits {
  readonly quota?: string;
  readonly entries?: number;
}

function promisesOf(door: DoorUnderTest, host: Host): Promised[] {
  const promises: Promised[] = [];
  const test = (name: string, work: Promised["work"], quota?: string) =>
    promises.push({ name, work, limits: { quota } });

  test("what goes in here comes out everywhere, byte for byte", async ({ here, native, account }) => {
    const files = {
      "/home/empty": new Uint8Array(),
      "/home/one": pattern(1),
      "/home/large": pattern(large),
      "/home/with space, ümläut & 漢字": pattern(1000),
      "/home/-dash%41+plus#hash?query": pattern(10),
      "/public/shared": pattern(5000),
    };
    for (const [path, bytes] of Object.entries(files)) {
      await here.put(path, bytes);
      assert.equal(sha256(await here.get(path)), sha256(bytes), path);
      const { entry } = await native.ask({ verb: "stat", path }) as { entry: Entry };
      assert.equal(entry.sha256, sha256(bytes), path);
      assert.equal(entry.owner, account, path);
      if (here.sha256) assert.equal(await here.sha256(path), sha256(bytes), path);
    }
    const listed = (await here.list("/home")).map(({ name, type, size }) => [name, type, size]);
    const { entries } = await native.ask({ verb: "list", path: "/home" }) as { entries: Entry[] };
    const told = entries.map(({ name, type, size }) => [name, type, size]);
    assert.deepEqual(listed.sort(), told.sort());
  });

  test("what comes from another door comes out here", async ({ here, native }) => {
    const bytes = pattern(200_000);
    await native.ask({ verb: "mkdir", path: "/home/deep/er", parents: true });
    await native.ask(eager("/home/deep/er/file", bytes));
    assert.equal(sha256(await here.get("/home/deep/er/file")), sha256(bytes));
    assert.deepEqual(await here.list("/home/deep"), [{ name: "er", type: "dir", size: 0 }]);
  });

  test("no name adds an entry or a line, and what has it comes out", async (stage) => {
    const { here, native } = stage;
    await native.ask({ verb: "mkdir", path: "/home/odd" });
    const made = new Map(awkwardNames.map((name, i) => [i + 1, name]));
    for (const [size, name] of made) await native.ask(eager(`/home/odd/${name}`, pattern(size)));
    const listed = await here.list("/home/odd");
    assert.deepEqual(listed.map(({ size }) => size).sort(numbers), [...made.keys()]);
    for (const { name, type, size } of listed) {
      assert.equal(type, "file");
      if (!/[\r\n]/.test(made.get(size)!)) assert.equal(name, made.get(size));
      assert.equal((await here.get(`/home/odd/${name}`)).length, size, name);
      await here.move(`/home/odd/${name}`, `/home/odd/plain ${size}`);
    }
    const plain = [...made.keys()].map((size) => `plain ${size}`).sort();
    assert.deepEqual(await names(here, "/home/odd"), plain);
    await assert.rejects(() => here.get('/home/odd/no "such\x1b\\ file'), Refused);
  });

  test("folders and names are made, moved and removed", async ({ here, native }) => {
    await here.mkdir("/home/a");
    await assert.rejects(() => here.mkdir("/home/a"), Refused);
    await assert.rejects(() => here.mkdir("/home/none/b"), Refused);
    await here.put("/home/a/f", pattern(100));
    await assert.rejects(() => here.remove("/home/a"), Refused);
    await here.move("/home/a/f", "/home/g");
    await here.move("/home/a", "/public/b");
    await here.put("/public/b/h", pattern(10));
    assert.deepEqual(await names(here, "/home"), ["g"]);
    assert.deepEqual(await names(here, "/public/b"), ["h"]);
    await here.remove("/home/g");
    await here.remove("/public/b/h");
    await here.remove("/public/b");
    assert.equal(await native.fail({ verb: "stat", path: "/public/b" }), "not-found");
    const { used, reserved } = await native.ask({ verb: "quota" });
    assert.deepEqual([used, reserved], [0, 0]);
  });

  test("what is not there, and what is something else, is refused", async ({ here }) => {
    await here.mkdir("/home/dir");
    for (const path of ["/home/none", "/home/none/f", "/home/dir"]) {
      await assert.rejects(() => here.get(path), Refused, path);
    }
    for (const path of ["/home/none/f", "/home/dir", "/home", "/public", "/f", "/elsewhere/f"]) {
      await assert.rejects(() => here.put(path, pattern(10)), Refused, path);
    }
    for (const path of ["/home/none", "/home", "/public"]) {
      await assert.rejects(() => here.remove(path), Refused, path);
    }
    await assert.rejects(() => here.move("/home/none", "/home/x"), Refused);
    assert.deepEqual(await names(here, "/home"), ["dir"]);
  });

  if (door.raw) {
    test("no path leads out", async ({ here, server, account }) => {
      await here.put("/home/f", pattern(10));
      await server.addUser("eve", { password });
      const eve = await door.visit(server, "eve", await server.issueToken("eve"));
      await eve[Symbol.asyncDispose]();
      if (host.hasFiles) await Deno.symlink("/etc", `${server.data}/homes/${account}/link`);
      const out = [
        "/../../../etc/passwd",
        "/home/../../etc/passwd",
        "/home/../homes/eve",
        "/home/../accounts.db",
        `/homes/${account}/f`,
        "/staging",
        ...host.hasFiles ? ["/home/link/passwd", "/home/link"] : [],
        "/home/./../../accounts.db",
      ];
      for (const path of out) {
        await assert.rejects(() => here.get(path), Refused, path);
        await assert.rejects(() => here.put(path, pattern(3)), Refused, path);
        if (path === "/home/link") continue; // the link is hers, what it points to is not
        await assert.rejects(() => here.remove(path), Refused, path);
      }
      if (!host.hasFiles) return;
      assert.deepEqual(Array.from(Deno.readDirSync(`${server.data}/homes/eve`)), []);
      await Deno.remove(`${server.data}/homes/${account}/link`);
    });
  }

  test("the quota is exact, whoever races for it", async (stage) => {
    const { native } = stage;
    const visitors: Visitor[] = [];
    try {
      // One after the other: eight at once are eight handshakes for each to wait for.
      while (visitors.length < 8) visitors.push(await stage.visit());
      const said = await Promise.all(
        visitors.map((visitor, i) =>
          visitor.put(`/home/${i}`, pattern(30_000, i)).then(() => "ok", (error) => {
            if (!(error instanceof Refused)) throw error;
            assert.notEqual(error.full, false, error.message);
            return "full";
          })
        ),
      );
      assert.deepEqual(said.sort(), [...Array(5).fill("full"), "ok", "ok", "ok"]);
    } finally {
      for (const visitor of visitors) await visitor[Symbol.asyncDispose]();
    }
    const { used, left } = await settled(native);
    assert.deepEqual([used, left], [90_000, 10_000]);
  }, "100000");

  promises.push(...entryPromises());
  promises.push(
    ...scopePromises(door),
    ...accountLimitPromises,
    ...secondFactorPromises(door),
    ...auditPromises(door),
  );

  test("an overwrite is charged its difference, and refused whole", async ({ here, native }) => {
    await here.put("/home/f", pattern(80_000));
    await here.put("/home/f", pattern(95_000, 1));
    assert.equal((await settled(native)).used, 95_000);
    if (here.left) assert.equal(await here.left(), 5_000);
    await assert.rejects(
      () => here.put("/home/f", pattern(100_001, 2)),
      (error) => error instanceof Refused && error.full !== false,
    );
    assert.equal(sha256(await here.get("/home/f")), sha256(pattern(95_000, 1)));
    assert.equal((await settled(native)).used, 95_000);
    await here.put("/home/f", pattern(10));
    assert.equal((await settled(native)).used, 10);
  }, "100000");

  test("an upload that is cut is no file, and goes on at another door", async (stage) => {
    const { here, native } = stage;
    const bytes = pattern(large);
    await here.put("/home/f", pattern(50));
    await stage.cut("/home/f", bytes, large - 1);
    assert.equal(sha256(await here.get("/home/f")), sha256(pattern(50)));
    const offset = await stage.half("/home/f");
    assert.ok(offset > 0 && offset < large, `${offset} bytes are kept`);
    await native.send({ verb: "put", path: "/home/f", size: large });
    const go = await native.answer();
    assert.deepEqual([go.offset, go.prefix], [offset, sha256(bytes.subarray(0, offset))]);
    const rest = bytes.subarray(offset);
    await native.ask({ offset, body: rest.length }, rest, { sha256: sha256(bytes) });
    assert.equal(sha256(await here.get("/home/f")), sha256(bytes));
  });

  test("an upload that was cut at another door goes on here", async (stage) => {
    const { here, server, token } = stage;
    const bytes = pattern(large);
    const other = await Peer.open(server.address, token);
    await other.ask({ verb: "put", path: "/home/f", size: large });
    await other.send({ offset: 0, body: large }, bytes.subarray(0, 300_000));
    await stage.staged(300_000);
    other[Symbol.dispose]();
    const offset = await stage.half("/home/f");
    assert.equal(offset, 300_000);
    await here.resume("/home/f", bytes, offset);
    assert.equal(sha256(await here.get("/home/f")), sha256(bytes));
  });

  test("and one that was cut here goes on here", async (stage) => {
    const { here } = stage;
    const bytes = pattern(large, 3);
    await stage.cut("/home/f", bytes, 400_000);
    const offset = await stage.half("/home/f");
    assert.ok(offset > 0 && offset <= 400_000, `${offset} bytes are kept`);
    await here.resume("/home/f", bytes, offset);
    assert.equal(sha256(await here.get("/home/f")), sha256(bytes));
  });

  test("an upload under way is taken over from elsewhere, at once", async (stage) => {
    const { native } = stage;
    const bytes = pattern(large);
    await using first = await stage.visit();
    const rest = await first.begin("/home/f", pattern(large, 4), 300_000);
    await stage.staged(250_000);
    const { offset } = await native.ask({ verb: "put", path: "/home/f", size: large });
    assert.ok(Number(offset) >= 250_000, `${offset} bytes are there`);
    await assert.rejects(rest, Refused);
    // It has others: they are sent from the start.
    await native.ask({ offset: 0, body: large }, bytes, { sha256: sha256(bytes) });
    assert.equal(sha256(await stage.here.get("/home/f")), sha256(bytes));
    assert.deepEqual(await settled(native), { used: large, left: 800_000 - large });
  }, "800000");

  test("an upload under way elsewhere is taken over here, at once", async (stage) => {
    const { here, server, token, native } = stage;
    const bytes = pattern(large);
    using first = await Peer.open(server.address, token);
    await first.ask({ verb: "put", path: "/home/f", size: large });
    await first.send({ offset: 0, body: large }, bytes.subarray(0, 300_000));
    await stage.staged(300_000);
    await here.resume("/home/f", bytes, 300_000);
    assert.equal(sha256(await here.get("/home/f")), sha256(bytes));
    await first.send(bytes.subarray(300_000, 400_000));
    assert.equal(await first.failure(), "unavailable");
    assert.equal(sha256(await here.get("/home/f")), sha256(bytes));
    assert.deepEqual(await settled(native), { used: large, left: 800_000 - large });
  }, "800000");

  test("a folder that is removed or moved ends the uploads into it", async (stage) => {
    const { here, native, server } = stage;
    const uploads = async () => {
      const half = (await native.ask({ verb: "stat", path: "/public/moved/f" })).upload;
      return (half as { offset: number }).offset;
    };
    for (const verb of ["remove", "move"] as const) {
      await here.mkdir("/public/d");
      await using first = await stage.visit();
      const rest = await first.begin("/public/d/f", pattern(large), 300_000);
      await stage.staged(250_000);
      if (verb === "remove") await here.remove("/public/d");
      else await here.move("/public/d", "/public/moved");
      await assert.rejects(rest, Refused);
      if (verb === "remove") continue;
      // The bytes that had arrived are kept under the new name.
      await until(async () => await server.heldUploads() === 0);
      assert.ok(await uploads() >= 250_000);
      const { reserved } = await native.ask({ verb: "quota" });
      assert.equal(reserved, await uploads());
      await here.remove("/public/moved");
    }
    assert.deepEqual(await settled(native), { used: 0, left: 800_000 });
    await until(async () => await server.stagedBytes() === 0);
  }, "800000");

  test("nothing is below a file", async ({ here, native }) => {
    await here.put("/home/f", pattern(10));
    await here.put("/home/g", pattern(10));
    for (const size of [10, large]) {
      await assert.rejects(() => here.put("/home/f/x", pattern(size)), Refused);
      assert.deepEqual((await native.ask({ verb: "quota" })).reserved, 0);
    }
    await assert.rejects(() => here.mkdir("/home/f/x"), Refused);
    await assert.rejects(() => here.move("/home/g", "/home/f/x"), Refused);
    await assert.rejects(() => here.get("/home/f/x"), Refused);
    await assert.rejects(() => here.list("/home/f/x"), Refused);
    assert.equal(await native.fail({ verb: "stat", path: "/home/f/x" }), "not-found");
    assert.equal(
      await native.fail({ verb: "put", path: "/home/f/x", size: large }),
      "no-directory",
    );
    assert.deepEqual(await names(here, "/home"), ["f", "g"]);
  });

  test("each has a home of their own, and public what others may only read", async (stage) => {
    const { here, server } = stage;
    await server.addUser("bob", { password });
    await here.put("/home/f", pattern(10));
    await here.put("/public/f", pattern(20));
    await using bob = await door.visit(server, "bob", await server.issueToken("bob"));
    assert.deepEqual(await names(bob, "/home"), []);
    assert.equal((await bob.get("/public/f")).length, 20);
    await assert.rejects(() => bob.put("/public/f", pattern(5)), Refused);
    await assert.rejects(() => bob.remove("/public/f"), Refused);
    await assert.rejects(() => bob.move("/public/f", "/home/f"), Refused);
    await bob.put("/public/g", pattern(5));
    assert.equal((await here.get("/public/f")).length, 20);
  });

  test("nobody gets in without the password, or once disabled", async ({ here, server, account }) => {
    await (await door.visit(server, account, password))[Symbol.asyncDispose]();
    await assert.rejects(() => door.visit(server, account, "wrong"), Refused);
    await assert.rejects(() => door.visit(server, "nobody", password), Refused);
    await server.disable(account);
    await assert.rejects(() => here.put("/home/f", pattern(10)), Refused);
    await assert.rejects(() => door.visit(server, account, password), Refused);
  });
  return promises;
}

interface Entry {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly owner: string;
  readonly sha256: string;
}

/** An account at two doors of a server. */
export class Stage implements AsyncDisposable {
  private constructor(
    readonly door: DoorUnderTest,
    readonly server: Server,
    readonly account: string,
    readonly here: Visitor,
    readonly native: Peer,
    /** Logs in without the cost of a password's scrypt. */
    readonly token: string,
  ) {}

  static async open(
    door: DoorUnderTest,
    server: Server,
    account: string,
    limits: Limits,
  ): Promise<Stage> {
    await server.addUser(account, { ...limits, password });
    const token = await server.issueToken(account);
    const here = await door.visit(server, account, token);
    return new Stage(door, server, account, here, await Peer.open(server.address, token), token);
  }

  /** Another connection to the door. */
  async visit(): Promise<Visitor> {
    return await this.door.visit(this.server, this.account, this.token);
  }

  /** Sends part of an upload and is gone; waits until the server has let go of it. */
  async cut(path: string, bytes: Uint8Array, sent: number): Promise<void> {
    await using visitor = await this.visit();
    await visitor.cut(path, bytes, sent);
  }

  /** How many bytes of an upload are kept, once nobody writes it any more. */
  async half(path: string): Promise<number> {
    // No protocol tells when the server has noticed: the ledger does.
    await until(async () => await this.server.heldUploads() === 0);
    const { upload } = await this.native.ask({ verb: "stat", path }) as {
      upload: { offset: number } | null;
    };
    assert.ok(upload, "nothing is kept of it");
    return upload.offset;
  }

  /** Waits until so many bytes are staged. */
  async staged(bytes: number): Promise<void> {
    await until(async () => await this.server.stagedBytes() >= bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.here[Symbol.asyncDispose]();
    this.native[Symbol.dispose]();
  }
}

async function names(visitor: Visitor, path: string): Promise<string[]> {
  return (await visitor.list(path)).map(({ name }) => name).sort();
}

/** The quota, once nothing is reserved: a door may answer before it has let go of a refused upload. */
async function settled(native: Peer): Promise<{ used: number; left: number }> {
  let now = { used: 0, left: 0 };
  await until(async () => {
    const { used, reserved, left } = await native.ask({ verb: "quota" }) as {
      [field: string]: number;
    };
    now = { used, left };
    return reserved === 0;
  });
  return now;
}
