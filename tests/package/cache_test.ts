/** The executable's cache: nobody else has a say in what it runs, and old versions are removed. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { dirname, join } from "node:path";
import { pack } from "../../scripts/pack.ts";
import { STANDIN } from "./_standin.ts";

const root = await Deno.makeTempDir({ prefix: "barge-cache-" });
const barge = join(root, "dist/barge");
/** Only root can make folders of another user's, and is let into them. */
const notRoot = Deno.uid() !== 0;
const otherUser = 54_321;

Deno.test.beforeAll(async () => {
  await Deno.chmod(root, 0o755);
  for (const [path, text] of Object.entries(STANDIN)) {
    await Deno.mkdir(dirname(join(root, "src", path)), { recursive: true });
    await Deno.writeTextFile(join(root, "src", path), text);
  }
  // Not Deno: 100 MB would be unpacked in each test, and nothing here is about what runs.
  const runtime = join(root, "runtime");
  await Deno.writeTextFile(runtime, `#!/bin/sh\necho '"1.2.3"'\n`, { mode: 0o755 });
  await Deno.mkdir(dirname(barge));
  await pack(join(root, "src"), barge, runtime);
});

Deno.test.afterAll(() => Deno.remove(root, { recursive: true }));

/** A home and a temporary folder for one test, both empty and ours. */
function places(): { home: string; tmp: string; env: Record<string, string> } {
  const home = Deno.makeTempDirSync({ dir: root, prefix: "home-" });
  const tmp = Deno.makeTempDirSync({ dir: root, prefix: "tmp-" });
  return { home, tmp, env: { HOME: home, TMPDIR: tmp } };
}

/** Starts the executable with this environment and no other. */
async function start(env: Record<string, string>, args = ["--version"]) {
  const { code, stdout, stderr } = await new Deno.Command(barge, { args, env, clearEnv: true })
    .output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Asserts that the executable runs its own program, and returns what it said of that. */
async function runs(env: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await start(env);
  deepStrictEqual([code, stdout], [0, '"1.2.3"\n'], stderr);
  return stderr;
}

/** The names of the versions in a cache folder. */
function versions(base: string): string[] {
  return Array.from(Deno.readDirSync(base), ({ name }) => name).filter((name) =>
    name.length === 64
  );
}

/** The folder that the executable looks for, by its header. */
async function hash(): Promise<string> {
  const bytes = (await Deno.readFile(barge)).subarray(0, 4096);
  return /^hash=([0-9a-f]{64})$/m.exec(new TextDecoder().decode(bytes))![1];
}

/** Lays a runtime into `base` that would print `planted`. */
async function plant(base: string): Promise<void> {
  const dir = join(base, await hash());
  await Deno.mkdir(dir, { recursive: true });
  await Deno.writeTextFile(join(dir, "barge"), "#!/bin/sh\necho planted\n", { mode: 0o755 });
  await Deno.writeTextFile(join(dir, "checked"), dir + "\n");
}

async function give(path: string): Promise<void> {
  const { code } = await new Deno.Command("chown", { args: ["-R", `${otherUser}`, path] }).output();
  strictEqual(code, 0);
}

const privateOf = (tmp: string) => join(tmp, `barge-${Deno.uid()}`);

Deno.test({
  name: "cache: a home of another user's is not used, nor what lies in it",
  ignore: notRoot,
}, async () => {
  const { home, tmp, env } = places();
  await plant(join(home, ".cache/barge"));
  await give(home);
  match(await runs(env), /^barge: using \S+, since \S+ can be changed by others/);
  strictEqual(await runs(env), "");
  deepStrictEqual(versions(privateOf(tmp)), [await hash()]);

  // A folder of ours in it is no better: its owner can put another in its place at any time.
  const second = places();
  await plant(join(second.home, ".cache/barge"));
  await Deno.chown(second.home, otherUser, null);
  await runs(second.env);
  deepStrictEqual(versions(privateOf(second.tmp)), [await hash()]);
  // And nothing is made through a link of theirs.
  const third = places();
  await Deno.mkdir(join(root, "elsewhere"));
  await Deno.symlink(join(root, "elsewhere"), join(third.home, ".cache"));
  await Deno.chown(third.home, otherUser, null);
  await runs(third.env);
  deepStrictEqual(Array.from(Deno.readDirSync(join(root, "elsewhere"))), []);
});

Deno.test({
  name: "cache: what another user was first to lay into the temporary folder is not used",
  ignore: notRoot,
}, async () => {
  const { tmp } = places();
  await Deno.chmod(tmp, 0o1777);
  await plant(privateOf(tmp));
  await give(privateOf(tmp));
  await runs({ TMPDIR: tmp });
  await runs({ TMPDIR: tmp });
  const made = Array.from(Deno.readDirSync(tmp), ({ name }) => name).sort();
  strictEqual(made.length, 2, "the second start did not find the folder of the first");
  const { mode, uid } = await Deno.stat(join(tmp, made[1]));
  deepStrictEqual([mode! & 0o777, uid], [0o700, Deno.uid()]);
});

Deno.test("cache: folders that others can write to are not used", async (t) => {
  for (const open of [".", ".cache", ".cache/barge"]) {
    await t.step(open, async () => {
      const { home, tmp, env } = places();
      await plant(join(home, ".cache/barge"));
      // Planted by somebody who could write there: not of this path, as only we can say.
      await Deno.remove(join(home, ".cache/barge", await hash(), "checked"));
      await Deno.chmod(join(home, open), 0o775);
      match(await runs(env), /can be changed by others/);
      deepStrictEqual(versions(privateOf(tmp)), [await hash()]);
    });
  }
});

Deno.test("cache: a link of the user is followed, and the folders of its target are checked", async () => {
  const { home, tmp, env } = places();
  const disk = Deno.makeTempDirSync({ dir: root, prefix: "disk-" });
  await Deno.symlink(disk, join(home, ".cache"));
  strictEqual(await runs(env), "");
  deepStrictEqual(versions(join(disk, "barge")), [await hash()]);
  strictEqual(await runs(env), "");

  await Deno.chmod(disk, 0o777);
  match(await runs(env), /can be changed by others/);
  deepStrictEqual(versions(privateOf(tmp)), [await hash()]);
});

Deno.test("cache: a server checks the whole path again, other commands only the owner", async () => {
  const { home, tmp, env } = places();
  await runs(env);
  await Deno.chmod(join(home, ".cache"), 0o777);
  strictEqual((await start(env, ["serve"])).code, 0);
  deepStrictEqual(versions(privateOf(tmp)), [await hash()]);

  const moved = places();
  await Deno.rename(join(home, ".cache"), join(moved.home, ".cache"));
  await Deno.chmod(join(moved.home, ".cache"), 0o777);
  match(await runs(moved.env), /can be changed by others/);
});

Deno.test("cache: a missing or read-only home is no failure", async (t) => {
  const homes = {
    "not set": undefined,
    "not there": "/nonexistent",
    relative: "home",
    none: "/proc",
  };
  for (const [name, home] of Object.entries(homes)) {
    await t.step(name, async () => {
      const { tmp } = places();
      await runs({ TMPDIR: tmp, ...home ? { HOME: home } : {} });
      strictEqual((await Deno.stat(privateOf(tmp))).mode! & 0o777, 0o700);
    });
  }
  ok(!await Deno.stat("/nonexistent").catch(() => undefined), "a home was made");
});

Deno.test("cache: old versions that no process runs are removed", async () => {
  const { home, env } = places();
  const base = join(home, ".cache/barge");
  const [idle, running, locked] = ["1", "2", "3"].map((digit) => digit.repeat(64));
  for (const name of [idle, running, locked]) {
    await Deno.mkdir(join(base, name), { recursive: true });
    await Deno.chmod(base, 0o700);
  }
  await Deno.chmod(join(home, ".cache"), 0o700);
  await Deno.mkdir(join(base, "notes"));
  await Deno.copyFile("/bin/cat", join(base, running, "barge"));
  for (const name of [idle, locked]) await Deno.writeTextFile(join(base, name, "barge"), "");
  using lock = await Deno.open(join(base, locked, "barge"));
  await lock.lock(false); // as a server of another container does

  await using program = new Deno.Command(join(base, running, "barge"), {
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  await runs(env);
  deepStrictEqual(versions(base).sort(), [running, locked, await hash()].sort());
  ok(await Deno.stat(join(base, "notes")));
  await program.stdin.close();
  await program.output();
});
