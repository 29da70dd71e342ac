/** Bounds of `put` and `get`: rates, connections, retries, and the brake of `--delete`. */
import assert from "node:assert/strict";
import { Proxy } from "../_proxy.ts";
import { startServer } from "../_server.ts";
import { lines, type RunOptions } from "./_barge.ts";
import { logInto, secret } from "./_logged_in.ts";
import { type Place, Runner } from "./_runner.ts";

/** Makes files below a folder, with bytes that differ. */
function plant(root: string, files: Record<string, number>): void {
  for (const [name, bytes] of Object.entries(files)) {
    const path = `${root}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    const content = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += 65_536) {
      crypto.getRandomValues(content.subarray(at, at + 65_536));
    }
    Deno.writeFileSync(path, content);
  }
}

async function ok(home: Place, args: readonly string[], options?: RunOptions) {
  const outcome = await home.barge(args, options);
  assert.equal(outcome.code, 0, `${args.join(" ")}: ${outcome.stderr}`);
  return outcome;
}

/** Returns the variables of a run through the proxy, with a token, since a password takes a scrypt. */
async function through(proxy: Proxy, { server, account }: Awaited<ReturnType<typeof logInto>>) {
  const token = await server.issueToken(account);
  return { BARGE_SERVER: `barge://${account}@${proxy.address}`, BARGE_PASSWORD: token };
}

/** The digests of all files below a folder, as `sha256sum` prints them. */
async function digests(root: string): Promise<string> {
  const { success, stdout } = await new Deno.Command("sh", {
    args: ["-c", "find . -type f | LC_ALL=C sort | xargs -d '\\n' sha256sum"],
    cwd: root,
  }).output();
  assert(success);
  return new TextDecoder().decode(stdout);
}

Deno.test("bounds of put and get", async (t) => {
  await using server = await startServer();
  await using runner = new Runner();

  await t.step("a limited rate holds in both directions, and over all connections", async () => {
    await using all = await logInto(server, "anna");
    const { home } = all;
    plant(home.path, { "r/a": 75_000, "r/b": 75_000 });
    for (
      const args of [["put", "-r", "r", "/home/"], ["get", "-r", "-j", "2", "/home/r", "back"]]
    ) {
      const start = performance.now();
      await ok(home, [...args, "--limit-rate", "100kB"]);
      // A quarter of a second's bytes may go at once.
      assert(performance.now() - start >= 1_200, args.join(" "));
    }
    assert.equal(await digests(`${home.path}/back/r`), await digests(`${home.path}/r`));
    await ok(home, ["get", "/home/r/a", "c", "--limit-rate", "00:00-24:00=5MB,20kB"]);
    for (const rate of ["100", "25:00-26:00=1MB", "fast", "1MB,2MB", ""]) {
      const args = ["put", "r/a", "/home/", `--limit-rate=${rate}`];
      const { code, stderr } = await runner.at(home).barge(args);
      assert.deepEqual([code, stderr.includes("is not a rate like 2MB")], [2, true], rate + stderr);
    }
  });

  await t.step(
    "several connections carry one tree, with its empty folders and removals",
    async () => {
      await using all = await logInto(server, "bella");
      const { home } = all;
      await using proxy = new Proxy(server.address);
      const to = { env: await through(proxy, all) };
      const files: Record<string, number> = { "t/large": 3_000_000 };
      for (let i = 0; i < 60; i++) files[`t/d${i % 5}/in/f${i}`] = i * 5_000;
      plant(home.path, files);
      Deno.mkdirSync(`${home.path}/t/empty`);
      const withPassword = { env: { ...to.env, ...secret } };
      await ok(home, ["put", "-r", "--jobs", "4", "t", "/home/"], withPassword);
      assert.equal(proxy.connections, 4);
      await ok(home, ["get", "-r", "-j", "3", "/home/t/", "back"], to);
      assert.equal(proxy.connections, 7);
      assert.equal(await digests(`${home.path}/back`), await digests(`${home.path}/t`));
      assert(Deno.statSync(`${home.path}/back/empty`).isDirectory);
      Deno.removeSync(`${home.path}/t/d1`, { recursive: true });
      Deno.removeSync(`${home.path}/t/d2/in`, { recursive: true });
      plant(home.path, { "t/d2/in": 10, "t/empty/new": 20_000 });
      await ok(runner.at(home), ["put", "-r", "-j", "4", "-u", "--delete", "t", "/home/"], to);
      await ok(runner.at(home), ["get", "-r", "-j", "4", "-u", "--delete", "/home/t/", "back"], to);
      assert.equal(await digests(`${home.path}/back`), await digests(`${home.path}/t`));
      const { stdout } = await ok(runner.at(home), ["ls", "-r", "/home/t"]);
      assert(!stdout.includes("d1/"), stdout);
    },
  );

  await t.step("files go on over the other connections when one is cut", async () => {
    await using all = await logInto(server, "carla");
    const { home } = all;
    await using proxy = new Proxy(server.address, [Infinity, 300_000]);
    const to = { env: await through(proxy, all) };
    const files: Record<string, number> = {};
    for (let i = 0; i < 40; i++) files[`t/f${i}`] = 100_000;
    plant(home.path, files);
    const cut = await home.barge(["put", "-r", "-j", "2", "t", "/home/"], to);
    assert.equal(cut.code, 5, cut.stderr);
    const { stdout } = await ok(runner.at(home), ["ls", "/home/t"]);
    assert(stdout.split("\n").length > 20, stdout);
  });

  await t.step("retries wait for a server, and end with 5 when they are used up", async () => {
    await using all = await logInto(server, "dora");
    const { home } = all;
    const place = runner.at(home);
    plant(home.path, { "f": 10 });
    const put = async (place: Place, retries: number, limits: readonly number[]) => {
      await using proxy = new Proxy(server.address, limits);
      const outcome = await place.barge(
        ["put", "f", "/home/", "--retries", String(retries), "--retry-delay", "0.01"],
        { env: await through(proxy, all) },
      );
      return { ...outcome, connections: proxy.connections };
    };
    const waited = await put(home, 3, [0, 0]);
    assert.deepEqual([waited.code, waited.connections], [0, 3], waited.stderr);
    assert.match(waited.stderr, /trying again in 0\.0 s \(attempt 2 of 3\)/);
    const gone = await put(place, 1, [0, 0]);
    assert.deepEqual([gone.code, gone.connections], [5, 2], gone.stderr);
    const wrong = await place.barge(["ls", "--retries", "3", "--server", all.remote], {
      env: { BARGE_PASSWORD: "wrong-secret" },
    });
    assert.equal(wrong.code, 11);
    assert.doesNotMatch(wrong.stderr, /trying again/);

    // The server commits the file, and its answer is lost.
    plant(home.path, { "small": 5000, "large": 3_000_000 });
    const noClobber = async (name: string, answered: readonly number[]) => {
      await using proxy = new Proxy(server.address, [], answered);
      const retries = ["--retries", "2", "--retry-delay", "0", "--json"];
      return await home.barge(["put", "--no-clobber", name, `/home/new-${name}`, ...retries], {
        env: await through(proxy, all),
      });
    };
    for (const [name, bytes] of [["small", 5000], ["large", 3_000_000]] as const) {
      const lost = await noClobber(name, [bytes]);
      assert.equal(lost.code, 0, lost.stderr);
      assert.match(lost.stderr, /attempt 1 of 2/);
      const [{ status, sha256 }] = lines(lost);
      assert.deepEqual([status, sha256.length], ["sent", 64]);
      const again = await noClobber(name, []);
      assert.equal(again.code, 14);
      assert.match(again.stderr, /it exists already\n$/); // no hint on folders
      plant(home.path, { [name]: bytes });
      assert.equal((await noClobber(name, [bytes])).code, 14); // another file of that name
    }
    await ok(home, ["mkdir", "/home/new-folder"]);
    const folder = await home.barge(["put", "--no-clobber", "small", "/home/new-folder"]);
    assert.equal(folder.code, 14);
    assert.match(folder.stderr, /it is a folder\n\(write \/home\/new-folder\/ to put it inside\)/);
  });

  await t.step(
    "a transfer that is cut goes on with the missing files, and resumes the cut one",
    async () => {
      await using all = await logInto(server, "emma");
      const { home } = all;
      plant(home.path, { "t/a": 20_000, "t/b": 6_000_000, "t/c": 30_000 });
      const retry = ["--retries", "5", "--retry-delay", "0.01", "--json"];
      const transfer = async (args: readonly string[], limits: readonly number[]) => {
        await using proxy = new Proxy(server.address, limits);
        return await ok(home, [...args, ...retry], {
          env: await through(proxy, all),
        });
      };
      const put = lines(await transfer(["put", "-r", "t", "/home/"], [3_000_000, 500_000]));
      assert.deepEqual(put.map(({ path }) => path).sort(), ["/home/t/a", "/home/t/b", "/home/t/c"]);
      const large = put.find(({ path }) => path === "/home/t/b");
      assert.equal(large.status, "resumed");
      assert(large.offset > 0);
      await ok(home, ["get", "-r", "/home/t/", "back"]);
      assert.equal(await digests(`${home.path}/back`), await digests(`${home.path}/t`));
    },
  );

  await t.step("standard input is sent once, though retries are left", async () => {
    await using all = await logInto(server, "fiona");
    const { home } = all;
    await using proxy = new Proxy(server.address, [100_000]);
    const { code } = await home.barge(
      ["put", "-", "/home/x", "--retries", "2", "--retry-delay", "0"],
      {
        env: await through(proxy, all),
        under: ["sh", "-c", 'head -c 1000000 /dev/zero | "$@"', "sh"],
      },
    );
    assert.deepEqual([code, proxy.connections], [5, 1]);
    assert.equal(
      (await home.barge(["stat", "/home/x", "--json"])).stdout.includes('"file"'),
      false,
    );
  });

  await t.step("--max-delete stops before anything is transferred or removed", async () => {
    await using all = await logInto(server, "gina");
    const { home } = all;
    const place = runner.at(home);
    const files: Record<string, number> = {};
    for (let i = 0; i < 10; i++) files[`t/f${i}`] = 10;
    plant(home.path, files);
    await ok(place, ["put", "-r", "t", "/home/"]);
    for (let i = 0; i < 3; i++) Deno.removeSync(`${home.path}/t/f${i}`);
    plant(home.path, { "t/new": 5 });
    const mirror = (max: string, ...more: string[]) =>
      place.barge(["put", "-r", "--delete", "--max-delete", max, ...more, "t", "/home/"]);
    for (const max of ["2", "29%", "0"]) {
      const { code, stderr } = await mirror(max);
      assert.equal(code, 6, stderr);
      assert.match(stderr, /--delete would remove 3 of 10 entries, more than --max-delete/);
      assert.match(stderr, /a larger --max-delete allows it, and with --dry-run prints/);
    }
    const rehearsed = lines(await mirror("30%", "--dry-run", "--json"));
    const removals = rehearsed.filter(({ status }) => status === "removed");
    assert.deepEqual(
      removals.map(({ path }) => path).sort(),
      [0, 1, 2].map((i) => `/home/t/f${i}`),
    );
    assert.equal((await ok(place, ["ls", "/home/t"])).stdout.split("\n").length - 1, 10);
    assert.equal((await mirror("30%")).code, 0);
    assert.equal((await ok(place, ["ls", "/home/t"])).stdout.split("\n").length - 1, 8);
    plant(home.path, { "here/a": 1, "here/b": 1, "here/f9/x": 1 });
    const down = ["get", "-r", "--delete", "/home/t/", "here", "--max-delete"];
    const stopped = await place.barge([...down, "3"]);
    assert.equal(stopped.code, 6, stopped.stderr);
    assert.deepEqual(Array.from(Deno.readDirSync(`${home.path}/here`), ({ name }) => name).sort(), [
      "a",
      "b",
      "f9",
    ]);
    await ok(home, [...down, "4"]);
    assert.equal(await digests(`${home.path}/here`), await digests(`${home.path}/t`));
    assert.equal((await mirror("101%")).code, 2);
  });

  await t.step("several connections that can't be opened use up one attempt together", async () => {
    await using all = await logInto(server, "hanna");
    const { home } = all;
    await using proxy = new Proxy(server.address, [Infinity, 0, 0, 0]);
    const to = { env: await through(proxy, all) };
    plant(home.path, { "t/a": 10 });
    const retries = ["--jobs", "4", "--retries", "1", "--retry-delay", "0"];
    const { stderr } = await ok(home, ["put", "-r", "t", "/home/", ...retries], to);
    assert.equal(proxy.connections, 7, stderr);
  });
});
