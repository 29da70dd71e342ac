/** Every door's promise of scopes: a token can do what its scope leaves it, and nothing else. */
import assert from "node:assert/strict";
import { until } from "../_observe.ts";
import { eager, pattern, sha256 } from "../core/door/_peer.ts";
import { type DoorUnderTest, Refused, type Visitor } from "./_door.ts";
import type { Promised, Stage } from "./_suite.ts";

const large = 700_000;
const sent = 300_000;

/** Each with an account of its own, as those of _suite.ts. */
export function scopePromises(door: DoorUnderTest): Promised[] {
  return [
    { name: "a read-only token reads, and changes nothing", work: readOnly },
    { name: "an append-only token makes new names, and changes nothing that exists", work: append },
    { name: "an append-only token resumes an upload of a new name", work: appendResumed },
    { name: "a token with a path sees and changes nothing else", work: withPath },
    { name: "a token ends at its time, with its connections and transfers", work: expired },
    {
      name: "a token is refused at other doors and addresses",
      work: (stage) => elsewhere(stage, door),
    },
  ];
}

async function readOnly(stage: Stage): Promise<void> {
  const { here } = stage;
  await here.mkdir("/home/d");
  await here.put("/home/d/f", pattern(100));
  await here.put("/public/read-only", pattern(10));
  const change = await changes(stage);
  const { token } = await issue(stage, { access: "read-only" });
  await using reader = await visitBy(stage, token);
  assert.equal(sha256(await reader.get("/home/d/f")), sha256(pattern(100)));
  assert.deepEqual(await reader.list("/home"), [{ name: "d", type: "dir", size: 0 }]);
  await refusesChanges(reader, "/home/d");
  await refusesAdditions(reader, ["/home/new", "/home/d/new", "/public/new"]);
  await refusesLarge(stage, token, "/home/d/large");
  assert.deepEqual(await changes(stage), change);
}

async function append(stage: Stage): Promise<void> {
  const { here, native } = stage;
  await here.mkdir("/home/d");
  await here.put("/home/d/f", pattern(100));
  await here.put("/home/d/empty", new Uint8Array());
  await here.put("/home/large", pattern(large));
  const change = await changes(stage);
  const { token } = await issue(stage, { access: "append-only" });
  await using appender = await visitBy(stage, token);
  await refusesChanges(appender, "/home/d");
  for (const path of ["/home/d/f", "/home/d/empty", "/home/large"]) {
    await assert.rejects(() => appender.put(path, pattern(50)), Refused, path);
    await refusesLarge(stage, token, path);
  }
  assert.deepEqual(await changes(stage), change);

  await appender.mkdir("/home/d/new");
  await appender.put("/home/d/new/f", pattern(100, 1));
  await appender.put("/home/d/new/large", pattern(large, 3));
  assert.equal(sha256(await here.get("/home/d/new/f")), sha256(pattern(100, 1)));
  assert.equal(sha256(await appender.get("/home/d/new/large")), sha256(pattern(large, 3)));
  await refusesChanges(appender, "/home/d/new");
  await here.remove("/home/large");
  await appender.put("/home/large", pattern(20));
  const { entry } = await native.ask({ verb: "stat", path: "/home/large" }) as {
    entry: { size: number };
  };
  assert.equal(entry.size, 20);
}

async function appendResumed(stage: Stage): Promise<void> {
  const { here, server } = stage;
  await using appender = await visitWith(stage, { access: "append-only" });
  const bytes = pattern(large, 5);
  {
    await using other = await visitWith(stage, { access: "append-only" });
    await other.cut("/home/cut", bytes, sent);
  }
  const offset = await stage.half("/home/cut");
  assert.ok(offset > 0);
  await appender.resume("/home/cut", bytes, offset);
  assert.equal(sha256(await here.get("/home/cut")), sha256(bytes));
  await assert.rejects(() => appender.put("/home/cut", bytes), Refused);

  // The name is taken while the upload is under way.
  const finish = await appender.begin("/home/raced", bytes, sent);
  await until(async () => await server.heldUploads() === 1);
  await stage.native.ask(eager("/home/raced", pattern(30)));
  await assert.rejects(finish, Refused);
  assert.equal((await here.get("/home/raced")).length, 30);
  await dropUploads(stage);
}

async function withPath(stage: Stage): Promise<void> {
  const { here } = stage;
  for (const path of ["/home/a", "/home/a/in", "/home/b"]) await here.mkdir(path);
  await here.put("/home/a/in/f", pattern(100));
  await here.put("/home/a/near", pattern(100));
  await here.put("/home/a/inner", pattern(100));
  await here.put("/home/b/f", pattern(100));
  await here.put("/public/outside", pattern(10));
  const change = await changes(stage);
  await using inside = await visitWith(stage, { path: "/home/a/in" });
  assert.deepEqual(await inside.list("/home"), [{ name: "a", type: "dir", size: 0 }]);
  assert.deepEqual(await inside.list("/home/a"), [{ name: "in", type: "dir", size: 0 }]);
  assert.deepEqual(await inside.list("/home/a/in"), [{ name: "f", type: "file", size: 100 }]);
  for (const path of ["/home/a/near", "/home/a/inner", "/home/b/f", "/public/outside"]) {
    await assert.rejects(() => inside.get(path), Refused, path);
    await assert.rejects(() => inside.put(path, pattern(5)), Refused, path);
    await assert.rejects(() => inside.remove(path), Refused, path);
    await assert.rejects(() => inside.move(path, "/home/a/in/got"), Refused, path);
    await assert.rejects(() => inside.move("/home/a/in/f", path), Refused, path);
  }
  for (const path of ["/home/b", "/public"]) {
    await assert.rejects(() => inside.list(path), Refused, path);
  }
  await refusesAdditions(inside, ["/home/new", "/home/a/new", "/home/b/new", "/public/new"]);
  await assert.rejects(() => inside.move("/home/a/in/f", "/home/a/moved"), Refused);
  await assert.rejects(() => inside.move("/home/a", "/home/a/in/a"), Refused);
  assert.deepEqual(await changes(stage), change);

  await inside.mkdir("/home/a/in/d");
  await inside.move("/home/a/in/f", "/home/a/in/d/g");
  await inside.put("/home/a/in/d/g", pattern(200));
  assert.equal((await here.get("/home/a/in/d/g")).length, 200);
  await inside.remove("/home/a/in/d/g");
  await inside.remove("/home/a/in/d");
}

async function expired(stage: Stage): Promise<void> {
  const { server, account, here } = stage;
  await here.put("/home/f", pattern(10));
  const { id, token } = await issue(stage, { expires: inAnHour() });
  const visit = () => stage.door.visit(server, account, token);
  await using idle = await visit();
  await using sending = await visit();
  assert.equal((await idle.get("/home/f")).length, 10);
  const finish = await sending.begin("/home/g", pattern(large), sent);
  await until(async () => await server.heldUploads() === 1);
  await server.expireToken(id);
  await assert.rejects(() => idle.list("/home"));
  await idle.ended?.();
  await until(async () => await server.heldUploads() === 0);
  await assert.rejects(finish);
  await assert.rejects(visit, Refused);
  assert.deepEqual((await here.list("/home")).map(({ name }) => name), ["f"]);
  await dropUploads(stage);
}

async function elsewhere(stage: Stage, door: DoorUnderTest): Promise<void> {
  const { server, account } = stage;
  const own = door.name === "WebDAV" ? "http" : door.name.toLowerCase();
  const others = ["native", "http", "ftp", "sftp"].filter((name) => name !== own);
  for (const scope of [{ doors: others }, { from: ["192.0.2.0/24", "2001:db8::/32"] }]) {
    const { token } = await issue(stage, scope);
    await assert.rejects(() => door.visit(server, account, token), Refused);
  }
  for (const scope of [{ doors: [own] }, { from: ["192.0.2.1", "127.0.0.0/8", "::1"] }]) {
    const { token } = await issue(stage, { ...scope, expires: inAnHour() });
    await using visitor = await door.visit(server, account, token);
    await visitor.put("/home/f", pattern(10));
    await visitor.remove("/home/f");
  }
}

function inAnHour(): string {
  return new Date(Date.now() + 3_600_000).toISOString();
}

type Scope = Readonly<Record<string, unknown>>;

async function issue({ native }: Stage, scope: Scope): Promise<{ id: string; token: string }> {
  const request = { verb: "token", action: "issue", label: "scoped", ...scope };
  return await native.ask(request) as unknown as { id: string; token: string };
}

async function visitWith(stage: Stage, scope: Scope): Promise<Visitor> {
  return await visitBy(stage, (await issue(stage, scope)).token);
}

async function visitBy({ door, server, account }: Stage, token: string): Promise<Visitor> {
  return await door.visit(server, account, token);
}

/** Checks that a large upload is refused: at its begin or its end. HTTP then closes the connection. */
async function refusesLarge(stage: Stage, token: string, path: string): Promise<void> {
  await using visitor = await visitBy(stage, token);
  await assert.rejects(
    async () => {
      const finish = await visitor.begin(path, pattern(large, 9), sent);
      await finish();
    },
    Refused,
    path,
  );
}

/** Checks that a visitor can change nothing of a folder with a file `f`. */
async function refusesChanges(visitor: Visitor, folder: string): Promise<void> {
  const file = `${folder}/f`;
  await assert.rejects(() => visitor.put(file, pattern(50)), Refused);
  await assert.rejects(() => visitor.remove(file), Refused);
  await assert.rejects(() => visitor.move(file, `${folder}/g`), Refused);
  await assert.rejects(() => visitor.move(folder, "/home/elsewhere"), Refused);
  await assert.rejects(() => visitor.remove(folder), Refused);
}

async function refusesAdditions(visitor: Visitor, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await assert.rejects(() => visitor.put(path, pattern(10)), Refused, path);
    await assert.rejects(() => visitor.mkdir(path), Refused, path);
  }
}

/** Drops the partial uploads of the account: later steps count staged bytes. */
async function dropUploads({ native }: Stage): Promise<void> {
  const { uploads } = await native.ask({ verb: "uploads" }) as unknown as {
    uploads: { path: string }[];
  };
  for (const { path } of uploads) await native.ask({ verb: "drop", path });
}

/** Returns the entries of the account, with their times and digests, and its uploads. */
async function changes({ native }: Stage): Promise<unknown> {
  const { entries } = await native.ask({ verb: "list", path: "/home", recursive: true });
  const { uploads } = await native.ask({ verb: "uploads" });
  return { entries, uploads };
}
