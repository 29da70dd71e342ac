/** The bucket on a real store, while that hangs, is cut off, refuses, or answers with an error. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { BargeError, type Kind } from "../../../core/error.ts";
import { Bucket, type BucketOptions } from "../../../core/shared/bucket/bucket.ts";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";
import { Proxy } from "./_proxy.ts";

const deadlineMs = 300;
const bytes = new TextEncoder().encode("the bytes of an object");
const small = withDigest(bytes);
const { sha256 } = small;
const large = withDigest(new Uint8Array(3 * 1024 * 1024).fill(7));

function withDigest(bytes: Uint8Array<ArrayBuffer>) {
  return { bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
}

function test(name: string, work: (options: BucketOptions, bucket: Bucket) => Promise<void>): void {
  Deno.test({
    name: `bucket: ${name}`,
    ignore: !hasEngines,
    async fn() {
      await using setup = await SharedSetup.make();
      await work(setup.bucket, setup.first.bucket);
    },
  });
}

async function fails(kind: Kind, work: Promise<unknown>): Promise<BargeError> {
  let failure: unknown;
  await assert.rejects(work, (error) => {
    failure = error;
    return error instanceof BargeError && error.kind === kind;
  });
  return failure as BargeError;
}

test("an object is written, read in part, and deleted, also twice", async (_, bucket) => {
  await bucket.put("a/b", bytes, sha256);
  assert.deepEqual(await bucket.get("a/b", { start: 4, size: 5 }), bytes.slice(4, 9));
  await bucket.delete("a/b");
  await bucket.delete("a/b");
  await fails("io", bucket.get("a/b", { start: 0, size: 1 }));
});

test("the store refuses bytes that are not those of the digest", async (_, bucket) => {
  for (const body of [bytes.slice(1), large.bytes]) {
    await fails("unavailable", bucket.put("c", body, sha256));
    await fails("io", bucket.get("c", { start: 0, size: 1 }));
  }
});

test(
  "a listing has each object below the prefix once, page by page, whatever its name",
  async (options, bucket) => {
    const names = ["a", "a b", "a+b", "a/b&c<d>", "b%41", 'b"c', "é/ü", "z"];
    for (const name of names) await bucket.put(name, bytes, sha256);
    using other = new Bucket({ ...options, prefix: `${options.prefix}a/` });
    assert.deepEqual((await other.list()).objects.map(({ name }) => name), ["b&c<d>"]);
    const listed: string[] = [];
    for (let after = "", more = true; more; after = listed.at(-1)!) {
      const page = await bucket.list(after, 3);
      assert(page.objects.length <= 3);
      for (const { name, modified } of page.objects) {
        assert(Math.abs(page.now - modified) < 10_000);
        listed.push(name);
      }
      more = page.more;
    }
    assert.deepEqual(listed.toSorted(), names.toSorted());
    for (const name of names) {
      assert.equal(await bucket.size(name), bytes.length);
      await bucket.delete(name);
      assert.equal(await bucket.size(name), undefined);
    }
    assert.deepEqual((await bucket.list()).objects, []);
  },
);

test("bytes beyond the end of an object are missing, and not tried again", async (_, bucket) => {
  await bucket.put("short", bytes, sha256);
  await fails("io", bucket.get("short", { start: bytes.length, size: 1 }));
  await bucket.delete("short");
});

test("wrong keys and a missing bucket are reported as such, at once", async (options) => {
  using keys = new Bucket({ ...options, secretKey: "another" });
  using missing = new Bucket({ ...options, url: `${options.url}-missing` });
  for (const { bytes, sha256 } of [small, large]) {
    const refused = await fails("fatal", keys.put("d", bytes, sha256));
    assert.match(refused.message, /refuses the request/);
    assert.match((await fails("fatal", missing.put("d", bytes, sha256))).message, /does not exist/);
  }
});

test("a store that hangs is unavailable within the deadlines, and used again when it is back", async (options) => {
  const { hostname, port } = new URL(options.url);
  using proxy = new Proxy({ hostname, port: Number(port) });
  const url = options.url.replace(`:${port}/`, `:${proxy.port}/`);
  using bucket = new Bucket({ ...options, url, deadlineMs });
  let attempts = 0;
  proxy.rules = { onConnect: () => attempts++ };
  proxy.hang();
  await fails("unavailable", bucket.put("e", bytes, sha256));
  assert.ok(attempts < 3, "all attempts had the whole deadline");
  proxy.resume();
  proxy.cut();
  await bucket.put("e", bytes, sha256);
  proxy.cut();
  assert.deepEqual(await bucket.get("e", { start: 0, size: bytes.length }), bytes);
});

test("an object is written in spite of a cut, and once a store that failed is back", async (options) => {
  const { hostname, port } = new URL(options.url);
  using proxy = new Proxy({ hostname, port: Number(port) });
  const url = options.url.replace(`:${port}/`, `:${proxy.port}/`);
  using bucket = new Bucket({ ...options, url, deadlineMs: 2000 });
  for (const { bytes, sha256 } of [small, large]) {
    const written = async () => {
      await bucket.put("h", bytes, sha256);
      assert.deepEqual(await bucket.get("h"), bytes);
      await bucket.delete("h");
    };
    await written();
    proxy.cut(); // the connections are idle
    await written();
    let cuts = 1;
    proxy.rules = { onSent: () => cuts-- > 0 ? "cut" : "pass" };
    await written();
    for (const status of [500, 503]) {
      proxy.rules = { status };
      await fails("unavailable", bucket.put("h", bytes, sha256));
      proxy.rules = {};
      await written();
    }
    proxy.rules = { status: 403 };
    await fails("fatal", bucket.put("h", bytes, sha256));
    proxy.rules = {};
    proxy.hang();
    await fails("unavailable", bucket.put("h", bytes, sha256));
    proxy.resume();
    await written();
    proxy.refuse();
    await fails("unavailable", bucket.put("h", bytes, sha256));
    proxy.listen();
    await written();
  }
});

test("an error that may pass is tried again, and then reported", async (options) => {
  for (const status of [500, 503]) {
    let failures = 2;
    const { promise: port, resolve } = Promise.withResolvers<number>();
    await using _server = Deno.serve(
      {
        hostname: "127.0.0.1",
        port: 0,
        onListen: (address) => resolve(address.port),
      },
      () =>
        new Response("<Error><Code>SlowDown</Code></Error>", {
          status: failures-- > 0 ? status : 200,
        }),
    );
    using bucket = new Bucket({ ...options, url: `http://127.0.0.1:${await port}/b` });
    await bucket.put("f", bytes, sha256);
    failures = 3;
    const failure = await fails("unavailable", bucket.put("f", bytes, sha256));
    assert.match(failure.message, new RegExp(`${status} SlowDown`));
  }
});

test("a time that the store refuses is reported with the clocks to correct", async (options) => {
  const { promise: port, resolve } = Promise.withResolvers<number>();
  await using _server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: (address) => resolve(address.port) },
    () => new Response("<Error><Code>RequestTimeTooSkewed</Code></Error>", { status: 403 }),
  );
  using bucket = new Bucket({ ...options, url: `http://127.0.0.1:${await port}/b` });
  const failure = await fails("fatal", bucket.put("g", bytes, sha256));
  assert.match(failure.message, /refuses the time of this machine/);
  assert.match(failure.hint!, /clock/);
});

test(
  "a probe takes the store's time once the clock of this machine has become wrong",
  async (_, bucket) => {
    await bucket.probe(5_000);
    const now = Date.now;
    try {
      for (const hours of [1, -1, 0]) {
        Date.now = () => now() + hours * 3_600_000;
        await fails("fatal", bucket.probe(5_000));
        await bucket.probe(5_000);
      }
    } finally {
      Date.now = now;
    }
  },
);
