/** The filters of `put`, `get`, `ls` and `rm`, and the dry runs of `rm`, `mv` and `cp`. */
import assert from "node:assert/strict";
import { startServer } from "../_server.ts";
import { lines, type Outcome } from "./_barge.ts";
import { logInto, secret } from "./_logged_in.ts";
import { type Place, Runner } from "./_runner.ts";

/** Makes files below a folder, each with its size and its age in days. */
function makeFiles(root: string, files: Record<string, readonly [bytes: number, days: number]>) {
  for (const [name, [bytes, days]] of Object.entries(files)) {
    const path = `${root}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeFileSync(path, new Uint8Array(bytes));
    const time = new Date(Date.now() - days * 86_400_000);
    Deno.utimeSync(path, time, time);
  }
}

/** The names below a local folder, folders with a slash at their ends. */
function namesIn(root: string, folder = ""): string[] {
  return Array.from(Deno.readDirSync(`${root}/${folder}`)).flatMap(({ name, isDirectory }) =>
    isDirectory ? [`${folder}${name}/`, ...namesIn(root, `${folder}${name}/`)] : [folder + name]
  ).sort();
}

async function ok(home: Place, ...args: string[]): Promise<Outcome> {
  const outcome = await home.barge(args);
  assert.equal(outcome.code, 0, `${args.join(" ")}: ${outcome.stderr}`);
  return outcome;
}

/** The names that `ls -r` prints of a remote folder. */
async function remoteNames(home: Place, ...args: string[]): Promise<string[]> {
  return (await ok(home, "ls", "-r", ...args)).stdout.split("\n").filter(Boolean).sort();
}

const tree = {
  "t/a.jpg": [10, 0],
  "t/b.txt": [2000, 40],
  "t/old/c.jpg": [3000, 40],
  "t/old/d.txt": [5, 0],
  "t/none/e.bin": [1, 0],
} as const;

const noGit = await new Deno.Command("git", { args: ["--version"] }).output()
  .then(() => false, () => true);

Deno.test("filters of names, and dry runs", async (t) => {
  await using server = await startServer();
  await using runner = new Runner();

  await t.step("one set of filters chooses the same names for put, get, ls and rm", async () => {
    await using all = await logInto(server, "anna");
    const home = runner.at(all.home);
    makeFiles(home.path, tree);
    Deno.writeTextFileSync(`${home.path}/rules`, "*.txt\n!/old/d.txt\n");
    Deno.writeTextFileSync(`${home.path}/list`, "./a.jpg\nold/\n\n");
    await ok(home, "put", "-r", "t/", "/home/all");
    const cases: [string[], string[]][] = [
      [["--exclude", "*.txt", "--exclude", "/none/"], ["a.jpg", "old/", "old/c.jpg"]],
      [["--include", "*.jpg"], ["a.jpg", "old/", "old/c.jpg"]],
      [["--include", "old/", "--exclude", "c.*"], ["old/", "old/d.txt"]],
      [["--filter-from", "rules", "--max-size", "9"], ["none/", "none/e.bin", "old/", "old/d.txt"]],
      [["--min-size", "2k", "--older", "30d"], ["b.txt", "old/", "old/c.jpg"]],
      [["--newer", "1d", "--min-size", "2"], ["a.jpg", "old/", "old/d.txt"]],
      [["--files-from", "list"], ["a.jpg", "old/", "old/c.jpg", "old/d.txt"]],
      [["--files-from", "list", "--older", "1d"], ["old/", "old/c.jpg"]],
    ];
    for (const [i, [filter, expected]] of cases.entries()) {
      const hint = filter.join(" ");
      assert.deepEqual(await remoteNames(home, ...filter, "/home/all"), expected, `ls ${hint}`);
      await ok(home, "put", "-r", ...filter, "t/", `/home/put${i}`);
      const stored = `${server.data}/homes/anna/put${i}`;
      assert.deepEqual(namesIn(stored), expected, `put ${hint}`);
      await ok(home, "get", "-r", ...filter, "/home/all/", `get${i}`);
      assert.deepEqual(namesIn(`${home.path}/get${i}`), expected, `get ${hint}`);
      const files = expected.filter((name) => !name.endsWith("/"));
      const removed = lines(await ok(home, "rm", "-r", ...filter, "/home/all", "--json", "-n"));
      const removedFiles = removed.filter((line) => line.removed === 1).map(({ path }) => path);
      assert.deepEqual(
        removedFiles.sort(),
        files.map((name) => `/home/all/${name}`),
        `rm ${hint}`,
      );
    }
    // A copy keeps the times of the files.
    await ok(home, "cp", "-r", "/home/all", "/home/copy");
    const older = await remoteNames(home, "--older", "1d", "/home/copy");
    assert.deepEqual(older, ["b.txt", "old/", "old/c.jpg"]);
  });

  await t.step("rm with a filter keeps its folder, and folders with files in them", async () => {
    await using all = await logInto(server, "bella");
    const { home } = all;
    makeFiles(home.path, tree);
    await ok(home, "put", "-r", "t", "/home/");
    const rehearsed = await ok(home, "rm", "-r", "--older", "30d", "--dry-run", "/home/t");
    assert.equal(rehearsed.stdout, "remove /home/t/b.txt\nremove /home/t/old/c.jpg\n");
    await ok(home, "rm", "-r", "--older", "30d", "/home/t");
    assert.deepEqual(await remoteNames(home, "/home/t"), [
      "a.jpg",
      "none/",
      "none/e.bin",
      "old/",
      "old/d.txt",
    ]);
    await ok(home, "rm", "-r", "--exclude", "a.*", "/home/t");
    assert.deepEqual(await remoteNames(home, "/home/t"), ["a.jpg"]);
    await ok(home, "rm", "-r", "--newer", "1d", "/home/t");
    assert.deepEqual(await remoteNames(home, "/home"), ["t/"]);
    const folder = await home.barge(["rm", "--newer", "1d", "/home/t"]);
    assert.equal(folder.code, 14);
  });

  await t.step("--delete removes only names that the filter takes", async () => {
    await using all = await logInto(server, "carla");
    const home = runner.at(all.home);
    makeFiles(home.path, tree);
    await ok(home, "put", "-r", "t", "/home/");
    await ok(home, "get", "-r", "/home/t", "copy/../");
    Deno.removeSync(`${home.path}/t/old`, { recursive: true });
    Deno.removeSync(`${home.path}/t/none`, { recursive: true });
    Deno.removeSync(`${home.path}/t/b.txt`);
    const mirror = ["-r", "-u", "--delete", "--min-size", "100"];
    await ok(home, "put", ...mirror, "t", "/home/");
    assert.deepEqual(await remoteNames(home, "/home/t"), [
      "a.jpg",
      "none/",
      "none/e.bin",
      "old/",
      "old/d.txt",
    ]);
    makeFiles(home.path, { "here/old/big": [200, 0], "here/old/small": [2, 0] });
    await ok(home, "get", ...mirror, "/home/t/", "here");
    assert.deepEqual(namesIn(`${home.path}/here`), ["old/", "old/small"]);
  });

  await t.step(".bargeignore holds by gitignore's rules, for put and for get", async () => {
    await using all = await logInto(server, "dora");
    const home = runner.at(all.home);
    makeFiles(home.path, {
      "p/a.log": [1, 0],
      "p/b": [1, 0],
      "p/sub/keep.log": [1, 0],
      "p/sub/x.log": [1, 0],
      "p/build/out": [1, 0],
    });
    Deno.writeTextFileSync(`${home.path}/p/.bargeignore`, "# generated\n*.log\nbuild/\n");
    Deno.writeTextFileSync(`${home.path}/p/sub/.bargeignore`, "!keep.log\n");
    await ok(home, "put", "-r", "p", "/home/");
    const sent = [".bargeignore", "b", "sub/", "sub/.bargeignore", "sub/keep.log"];
    assert.deepEqual(await remoteNames(home, "/home/p"), sent);
    await ok(home, "get", "-r", "--delete", "/home/p/", "p");
    assert(namesIn(`${home.path}/p`).includes("build/out"), "get has removed an ignored file");
    await ok(home, "put", "-r", "--no-ignore", "p/build", "p/a.log", "/home/p/");
    await ok(home, "put", "-r", "--delete", "p", "/home/");
    assert((await remoteNames(home, "/home/p")).includes("build/out"));
    await ok(home, "get", "-r", "/home/p/", "p");
    await ok(home, "put", "-r", "--no-ignore", "p", "/home/");
    assert((await remoteNames(home, "/home/p")).includes("sub/x.log"));
  });

  await t.step({
    name: "git and barge ignore the same names",
    ignore: noGit,
    async fn() {
      await using all = await logInto(server, "emma");
      const { home } = all;
      const names = "a.log b.LOG #x !y foo/bar foo/baz/q doc/a.txt doc/sub/a.txt doc/sub/b.txt " +
        "build/keep sub/build/out logs/1 logs/deep/2 x/logs/3 a1 ab.c weird[1] sp\u00e4t/a " +
        "neg/keep.me neg/drop.me deep/er/one deep/er/two abc/x/y/z abc/z deep/er/est/last";
      makeFiles(
        home.path,
        Object.fromEntries(names.split(" ").map((name) => [`g/${name}`, [1, 0] as const])),
      );
      const rules = {
        "":
          "*.log\n\\#x\n\\!y\n/foo/*\n!/foo/bar\n/doc/**/b.txt\nbuild/\nlogs/**\na[0-9]\nweird\\[1\\]\n" +
          "sp\u00e4t\nabc/**/z\n",
        "neg/": "*\n!keep.*\n",
        "deep/": "er/*\n!er/two\n",
        "deep/er/": "!one\n",
      };
      for (const [folder, text] of Object.entries(rules)) {
        Deno.writeTextFileSync(`${home.path}/g/${folder}.bargeignore`, text);
      }
      await ok(home, "put", "-r", "g/", "/home/g");
      const git = async (...args: string[]) => {
        const { success, stdout } = await new Deno.Command("git", {
          args: ["-c", "core.quotePath=false", ...args],
          cwd: `${home.path}/g`,
          clearEnv: true,
          env: { PATH: Deno.env.get("PATH") ?? "", HOME: home.path },
        }).output();
        assert(success, args.join(" "));
        return new TextDecoder().decode(stdout).split("\n").filter(Boolean).sort();
      };
      await git("init", "-q");
      const kept = await git("ls-files", "--others", "--exclude-per-directory=.bargeignore");
      const sent = await remoteNames(home, "/home/g");
      assert.deepEqual(sent.filter((name) => !name.endsWith("/")), kept);
      assert(kept.includes("foo/bar") && !kept.includes("a.log"));
    },
  });

  await t.step("names come from a list, and a name that is missing fails with 4", async () => {
    await using all = await logInto(server, "fiona");
    const { home } = all;
    makeFiles(home.path, { ...tree, "t/two\nlines": [1, 0] });
    const list = `${home.path}/t/a.jpg\0two\nlines\0nowhere/x\0`;
    const put = await home.barge(
      ["put", "-r", "--files-from", "-", "-0", `${home.path}/t/`, "/home/t", "--json"],
      { stdin: list },
    );
    assert.equal(put.code, 4, put.stderr);
    assert.match(put.stderr, /read .*\/t\/nowhere\/x: no such file/i);
    assert.deepEqual(lines(put).map(({ path, status }) => `${path} ${status}`).sort(), [
      "/home/t/a.jpg sent",
      "/home/t/nowhere/x failed",
      "/home/t/two\nlines sent",
    ]);
    const get = await home.barge(["get", "-r", "--files-from", "-", "/home/t/", "here"], {
      stdin: "a.jpg\nmissing\n",
    });
    assert.equal(get.code, 4);
    assert.deepEqual(namesIn(`${home.path}/here`), ["a.jpg"]);
    const ls = await home.barge(["ls", "-r", "--files-from", "-", "/home/t"], { stdin: "missing" });
    assert.equal(ls.code, 4);
    const rm = await home.barge(["rm", "--files-from", "-", "-0"], {
      stdin: "/home/t/a.jpg\0/home/t/two\nlines\0",
    });
    assert.equal(rm.code, 0, rm.stderr);
    assert.deepEqual(await remoteNames(home, "/home/t"), []);
    assert.equal((await home.barge(["rm", "--files-from", "-"], { stdin: "" })).code, 0);
  });

  await t.step(
    "options that exclude each other are refused before a connection is made",
    async () => {
      await using all = await logInto(server, "gina");
      const home = runner.at(all.home);
      const nowhere = { ...secret, BARGE_SERVER: "barge://gina@127.0.0.1:1" };
      Deno.mkdirSync(`${home.path}/t`);
      const cases: [string[], RegExp][] = [
        [["put", "-r", "-0", "t", "/home/"], /-0 needs --files-from/],
        [["put", "-r", "--files-from", "x", "t", "u", "/home/"], /takes one folder/],
        [["put", "--files-from", "-", "-", "/home/x"], /both a file and the list/],
        [["ls", "--files-from", "-"], /--files-from needs -r/],
        [["rm"], /PATH\.\.\.: too few arguments/],
        [["rm", "--partial", "--older", "1d", "/home/x"], /--partial takes neither/],
        [["put", "-r", "--older", "soon", "t", "/home/"], /"soon" is not an age like 90m/],
      ];
      for (const [args, message] of cases) {
        const { code, stderr } = await home.barge(args, { env: nowhere });
        assert.deepEqual([code, message.test(stderr)], [2, true], `${args.join(" ")}: ${stderr}`);
      }
    },
  );

  await t.step("a dry run of rm, mv and cp prints the changes, and makes none", async () => {
    await using all = await logInto(server, "hanna");
    const home = runner.at(all.home);
    makeFiles(home.path, { "t/a": [1, 0], "t/b/c": [2, 0] });
    await ok(home, "put", "-r", "t", "/home/");
    const before = await remoteNames(home, "/home");
    const removal = await ok(home, "rm", "-rn", "/home/t");
    assert.equal(
      removal.stdout,
      "remove /home/t/a\nremove /home/t/b/c\nremove /home/t/b/\nremove /home/t/\n",
    );
    assert.deepEqual(lines(await ok(home, "rm", "-n", "--json", "/home/t/a")), [
      { path: "/home/t/a", removed: 1, dryRun: true },
    ]);
    assert.equal(
      (await ok(home, "mv", "-n", "/home/t/a", "/home/x")).stdout,
      "move /home/t/a -> /home/x\n",
    );
    assert.equal(
      (await ok(home, "cp", "-rn", "/home/t", "/home/u")).stdout,
      "copy /home/t/a -> /home/u/a\ncopy /home/t/b/c -> /home/u/b/c\n",
    );
    assert.deepEqual(lines(await ok(home, "mv", "-n", "--json", "/home/t/a", "/home/t/b")), [
      { from: "/home/t/a", to: "/home/t/b/a", dryRun: true },
    ]);
    const codes = [
      ["rm", "-n", "/home/t"],
      ["rm", "-n", "/home/missing"],
      ["mv", "-n", "/home/missing", "/home/x"],
      ["mv", "-n", "--no-clobber", "/home/t/a", "/home/t/b/c"],
      ["cp", "-n", "/home/t/a", "/home/none/x"],
    ].map(async (args) => (await home.barge(args)).code);
    assert.deepEqual(await Promise.all(codes), [14, 4, 4, 14, 3]);
    assert.deepEqual(await remoteNames(home, "/home"), before);
  });

  await t.step(
    "rm refuses built-in folders in a dry run as well, and reports only what it removes",
    async () => {
      await using all = await logInto(server, "irma");
      const home = runner.at(all.home);
      makeFiles(home.path, { "t/old": [1, 40] });
      await ok(home, "put", "-r", "t", "/home/");
      for (const path of ["/", "/home", "/public"]) {
        for (const more of [[], ["-n"]]) {
          const { code, stdout } = await home.barge(["rm", "-r", path, ...more]);
          assert.deepEqual([code, stdout], [14, ""], path);
        }
      }
      const removed = [{ path: "/home/t/old", removed: 1 }, { path: "/home/t", removed: 0 }];
      const dry = lines(await ok(home, "rm", "-r", "/", "--older", "30d", "--json", "-n"));
      assert.deepEqual(dry, removed.map((fields) => ({ ...fields, dryRun: true })));
      assert.deepEqual(lines(await ok(home, "rm", "-r", "/", "--older", "30d", "--json")), removed);
    },
  );

  await t.step(
    "ls -r reports a listed name that does not exist beside the folder itself",
    async () => {
      await using all = await logInto(server, "julia");
      const home = runner.at(all.home);
      Deno.writeTextFileSync(`${home.path}/list`, ".\nnone\n");
      const { code, stderr } = await home.barge(["ls", "-r", "/home", "--files-from", "list"]);
      assert.deepEqual([code, stderr.includes("/home/none: there is no file or folder")], [
        4,
        true,
      ]);
    },
  );

  await t.step("a dry run of mv refuses what mv refuses", async () => {
    await using all = await logInto(server, "karin");
    const home = runner.at(all.home);
    await ok(home, "mkdir", "/home/a");
    assert.equal(
      (await ok(home, "mv", "-n", "/home/a", "/home/ab")).stdout,
      "move /home/a -> /home/ab\n",
    );
    const moves = [["/home/a", "/home/a/b"], ["/home/a", "/home/a"], ["/home", "/home/a/"]];
    for (const move of moves) {
      const dry = await home.barge(["mv", "-n", ...move]);
      const real = await home.barge(["mv", ...move]);
      assert.deepEqual([dry.code, dry.stdout], [real.code, ""], `${move} ${real.stderr}`);
    }
  });

  await t.step("a folder of the name .bargeignore has no rules, and is transferred", async () => {
    await using all = await logInto(server, "lena");
    const home = runner.at(all.home);
    makeFiles(home.path, { "t/.bargeignore/x": [1, 0], "t/a": [1, 0] });
    await ok(home, "put", "-r", "t/", "/home/t", "--exclude", "//");
    assert.deepEqual(await remoteNames(home, "/home/t"), [".bargeignore/", ".bargeignore/x", "a"]);
    await ok(home, "get", "-r", "/home/t/", "t");
  });
});
