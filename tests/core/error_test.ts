import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { mkdir, open, readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { BargeError, isKind, type Kind, kinds, typed } from "../../core/error.ts";

/** Returns the typed error of a real failure. */
async function made(run: () => unknown, path = "/home/x"): Promise<BargeError> {
  try {
    await run();
  } catch (cause) {
    const error = typed(cause, { op: "put", path });
    assert.equal(error.cause, cause);
    return error;
  }
  assert.fail("nothing was thrown");
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const long = "a".repeat(300);

Deno.test("failures of the system have a kind and a readable line", async () => {
  await inFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    await Deno.writeTextFile(at("file"), "");
    await Deno.mkdir(at("full/inner"), { recursive: true });
    await Deno.symlink("loop", at("loop"));
    const cases: [() => unknown, Kind, string][] = [
      [() => Deno.open(at("none")), "not-found", "no such file or directory"],
      [() => stat(at("none")), "not-found", "no such file or directory"],
      [() => stat(at("a, open 'b'\n")), "not-found", "no such file or directory"],
      [
        () => Deno.rename(at("one\ntwo"), at("three")),
        "not-found",
        "no such file or directory",
      ],
      [() => rename(at("one\ntwo"), at("three")), "not-found", "no such file or directory"],
      [() => Deno.open(at("file/x")), "no-directory", "not a directory"],
      [() => readdir(at("file")), "no-directory", "not a directory"],
      [() => Deno.open(at(long)), "usage", "file name too long"],
      [() => stat(at(long)), "usage", "name too long"],
      [() => Deno.open(at("loop")), "denied", "too many levels of symbolic links"],
      [() => open(at("loop")), "denied", "too many symbolic links encountered"],
      [() => Deno.mkdir(at("full")), "exists", "file exists"],
      [() => mkdir(at("full")), "exists", "file already exists"],
      [() => Deno.remove(at("full")), "exists", "directory not empty"],
      [() => Deno.open(at("full"), { write: true }), "exists", "is a directory"],
    ];
    for (const [run, kind, why] of cases) {
      const error = await made(run);
      assert.equal(error.toString(), `put /home/x: ${why}`);
      assert.equal(error.kind, kind, why);
    }
  });
});

const noFull = !exists("/dev/full");

Deno.test({
  name: noFull ? "a full disk (skipped: no /dev/full here)" : "a full disk is no-space",
  ignore: noFull,
  fn: async () => {
    const writes = [
      () => Deno.writeFile("/dev/full", new Uint8Array(1)),
      () => writeFileSync("/dev/full", "x"),
      async () => {
        using file = await Deno.open("/dev/full", { write: true });
        await file.write(new Uint8Array(1));
      },
    ];
    for (const write of writes) {
      const error = await made(write);
      assert.equal(error.kind, "no-space");
      assert.equal(error.toString(), "put /home/x: no space left on device");
    }
  },
});

Deno.test("failures of the network are unavailable", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const taken = await made(() => Deno.listen({ hostname: "127.0.0.1", port }));
  assert.equal(taken.kind, "fatal");
  assert.equal(taken.message, "address already in use");
  const refused = await made(() => Deno.connect({ hostname: "127.0.0.1", port: 1 }));
  assert.equal(refused.kind, "unavailable");
  assert.equal(refused.message, "connection refused");
});

Deno.test("signals: an abort is interrupted, a timeout unavailable", async () => {
  const aborted = await made(() => AbortSignal.abort().throwIfAborted());
  assert.equal(aborted.kind, "interrupted");
  assert.equal(aborted.toString(), "put /home/x: interrupted");
  const late = await made(() => {
    throw new DOMException("signal timed out", "TimeoutError");
  });
  assert.equal(late.kind, "unavailable");
});

Deno.test("other values and unknown errors are io", async () => {
  const text = await made(() => {
    throw "Just text";
  });
  assert.equal(text.kind, "io");
  assert.equal(text.toString(), "put /home/x: just text");
  const other = await made(() => {
    throw new Error("TLS handshake, sort of: read the docs");
  });
  assert.equal(other.toString(), "put /home/x: TLS handshake, sort of: read the docs");
});

Deno.test("a bug stays a bug", () => {
  for (const bug of [new TypeError("x is not a function"), new RangeError("too far")]) {
    assert.throws(() => typed(bug), (e) => e === bug);
  }
});

Deno.test("a BargeError keeps its facts and gains what it lacks", () => {
  const inner = new BargeError("digest", "differs", { path: "/home/a" });
  const outer = typed(inner, { op: "get", path: "/home/b", account: "alice", hint: "again" });
  assert.equal(outer.toString(), "get /home/a: differs");
  const { kind, account, hint, stack } = outer;
  assert.deepEqual({ kind, account, hint, stack }, {
    kind: "digest",
    account: "alice",
    hint: "again",
    stack: inner.stack,
  });
});

Deno.test("a BargeError gets other facts, keeps the rest, and loses one that is replaced by none", () => {
  const cause = new Error("why");
  const facts = { op: "get", path: "/home/a", account: "alice", hint: "use -r", cause };
  const inner = new BargeError("usage", "is a folder", facts);
  const { op, path, account, hint, ...rest } = inner.replacing({ op: "cat", hint: undefined });
  assert.deepEqual([op, path, account, hint], ["cat", "/home/a", "alice", undefined]);
  assert.equal(rest.kind, "usage");
  const outer = inner.replacing({ path: "/home/b" });
  assert.equal(outer.toString(), "get /home/b: is a folder");
  assert.deepEqual([outer.cause, outer.stack], [cause, inner.stack]);
});

Deno.test("toString has the op and path that exist", () => {
  assert.equal(new BargeError("io", "why").toString(), "why");
  assert.equal(new BargeError("io", "why", { op: "put" }).toString(), "put: why");
  assert.equal(new BargeError("io", "why", { path: "/a" }).toString(), "/a: why");
});

Deno.test("isKind is false for the properties of every object", () => {
  for (const kind of Object.keys(kinds)) assert.ok(isKind(kind));
  for (const name of ["", "tired", "toString", "__proto__"]) assert.ok(!isKind(name), name);
});

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
