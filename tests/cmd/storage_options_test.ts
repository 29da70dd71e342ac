import assert from "node:assert/strict";
import { named } from "../../cmd/_term/command.ts";
import { parseArgs } from "../../cmd/_term/parse.ts";
import { sharedOptions, storageOptions } from "../../cmd/_data/storage_options.ts";
import { BargeError } from "../../core/error.ts";

const command = {
  options: named(storageOptions),
  about: "",
  examples: [],
  run: () => Promise.resolve(),
};

const key = new Uint8Array(32).fill(7);
const secrets = {
  BARGE_STORE_PASSWORD: "secret",
  BARGE_BUCKET_ACCESS_KEY: "access",
  BARGE_BUCKET_SECRET_KEY: "hidden",
  BARGE_CLUSTER_KEY: key.toBase64(),
};
const addresses = ["--store", "postgres://barge@db/files", "--bucket", "s3+https://s3.box/bytes"];

async function options(line: readonly string[], variables: Record<string, string> = {}) {
  for (const [name, text] of Object.entries(variables)) Deno.env.set(name, text);
  try {
    return await sharedOptions(parseArgs("verb", command, line));
  } finally {
    for (const name of Object.keys(variables)) Deno.env.delete(name);
  }
}

async function refusal(line: readonly string[], variables?: Record<string, string>) {
  try {
    await options(line, variables);
  } catch (error) {
    assert(error instanceof BargeError);
    assert.equal(error.kind, "usage");
    return `${error} ${error.hint}`;
  }
  throw new assert.AssertionError({ message: `accepted: ${line.join(" ")}` });
}

async function file(text: string) {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, text);
  return { path, [Symbol.dispose]: () => Deno.removeSync(path) };
}

Deno.test("without a database and a bucket there is no shared storage", async () => {
  assert.equal(await options([]), undefined);
});

Deno.test("URLs name the database and the bucket, and variables hold the secrets", async () => {
  assert.deepEqual(await options(addresses, secrets), {
    postgres: {
      host: "db",
      port: 5432,
      database: "files",
      user: "barge",
      password: "secret",
      trust: undefined,
    },
    bucket: {
      url: "https://s3.box/bytes",
      prefix: "",
      region: undefined,
      accessKey: "access",
      secretKey: "hidden",
      trust: undefined,
    },
    key,
  });
});

Deno.test("files hold the secrets", async () => {
  using password = await file("pass word\n");
  using keys = await file("a\r\nb\n");
  using cluster = await file(`${key.toHex()}\n`);
  const found = await options([
    ...addresses,
    ...["--store-password-file", password.path, "--bucket-keys-file", keys.path],
    ...["--cluster-key", cluster.path],
  ]);
  assert.equal(found?.postgres.password, "pass word");
  assert.equal(found?.bucket.accessKey, "a");
  assert.equal(found?.bucket.secretKey, "b");
  assert.deepEqual(found?.key, key);
});

Deno.test("the hint of a missing file names the ways to give its secret", async () => {
  const cases = [
    [
      "--store-password-file",
      "",
      /^write the password into a file, .* or set BARGE_STORE_PASSWORD$/,
    ],
    ["--store-password-file", "-", /^- does not stand for standard input here: write the password/],
    ["--bucket-keys-file", "-", /^- does not .* or set BARGE_BUCKET_ACCESS_KEY and/],
    ["--cluster-key", "-", /^- does not stand for standard input here: make one with `openssl/],
  ] as const;
  for (const [option, path, hint] of cases) {
    const given = path || `${Deno.cwd()}/none`;
    const missing = options([...addresses, option, given], secrets);
    await assert.rejects(missing, (error: BargeError) => {
      assert.deepEqual([error.kind, error.op, error.path], ["not-found", option, given]);
      assert.match(error.hint!, hint);
      return true;
    });
  }
});

Deno.test("BARGE_CLUSTER_KEY may name a file", async () => {
  using cluster = await file(key.toBase64());
  const found = await options(addresses, { ...secrets, BARGE_CLUSTER_KEY: cluster.path });
  assert.deepEqual(found?.key, key);
});

Deno.test("a database on this machine needs no TLS, and another one has it unless its URL says so", async () => {
  const trustOf = async (url: string, ...more: string[]) => {
    const found = await options(["--store", url, ...addresses.slice(2), ...more], secrets);
    return found?.postgres.trust;
  };
  const pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
  using ca = await file(pem);
  assert.equal(await trustOf("postgres://barge@127.0.0.1:5433/files"), null);
  assert.equal(await trustOf("postgres://barge@db/files?sslmode=disable"), null);
  assert.equal(await trustOf("postgres://barge@[::1]/files?sslmode=verify-full"), undefined);
  assert.deepEqual(await trustOf("postgres://barge@127.0.0.1/files", "--store-ca", ca.path), [
    pem,
  ]);
  using junk = await file("hello");
  for (const path of [junk.path, `${junk.path}-missing`]) {
    await assert.rejects(trustOf("postgres://barge@db/files", "--store-ca", path), {
      kind: "fatal",
    });
  }
});

Deno.test("a bucket's URL has a prefix and a region", async () => {
  const url = "s3+http://127.0.0.1:7480/bytes/a/b/?region=eu-north-1";
  const found = await options([...addresses.slice(0, 2), "--bucket", url], secrets);
  assert.equal(found?.bucket.url, "http://127.0.0.1:7480/bytes");
  assert.equal(found?.bucket.prefix, "a/b/");
  assert.equal(found?.bucket.region, "eu-north-1");
});

Deno.test("a store without TLS on another machine is refused", async () => {
  const line = [...addresses.slice(0, 2), "--bucket", "s3+http://box/bytes"];
  assert.match(await refusal(line, secrets), /on this machine only/);
});

Deno.test("a URL with a password is refused, and not shown", async () => {
  const store = await refusal(["--store", "postgres://barge:hunter2@db/files"]);
  const bucket = await refusal(["--bucket", "s3+https://key:hunter2@s3.box/bytes"]);
  for (const message of [store, bucket]) {
    assert.match(message, /may not hold a password/);
    assert.doesNotMatch(message, /hunter2/);
  }
});

Deno.test("other URLs are refused", async () => {
  for (const url of ["db/files", "mysql://a@db/x", "postgres://db/x", "postgres://a@db/"]) {
    assert.match(await refusal(["--store", url]), /is not postgres:\/\/USER@HOST\/DB/);
  }
  for (const url of ["https://s3.box/bytes", "s3+https://s3.box", "s3+https://key@s3.box/bytes"]) {
    assert.match(await refusal(["--bucket", url]), /is not s3\+https/);
  }
});

Deno.test("a missing part is named", async () => {
  assert.match(await refusal(addresses.slice(0, 2), secrets), /--store and --bucket/);
  const { BARGE_BUCKET_SECRET_KEY: _, ...noKeys } = secrets;
  assert.match(await refusal(addresses, noKeys), /the keys of the bucket are missing/);
  const { BARGE_CLUSTER_KEY: __, ...noKey } = secrets;
  assert.match(await refusal(addresses, noKey), /openssl rand -base64 32/);
});

Deno.test("files of secrets that are not valid are refused", async () => {
  using short = await file(new Uint8Array(31).toBase64());
  using one = await file("only one line\n");
  const { BARGE_CLUSTER_KEY: _, ...noKey } = secrets;
  assert.match(await refusal([...addresses, "--cluster-key", short.path], noKey), /32 bytes/);
  assert.match(
    await refusal([...addresses, "--bucket-keys-file", one.path], secrets),
    /should have 2 lines, and has 1/,
  );
});
