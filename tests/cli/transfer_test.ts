/** The output of `put`, `get` and `ls`: JSON objects, digests, pipes without a reader. */
import assert from "node:assert/strict";
import { until } from "../_observe.ts";
import { onTwoNodes } from "../_server.ts";
import { lines } from "./_barge.ts";
import { loggedIn } from "./_logged_in.ts";

Deno.test("each removal by --delete is a JSON object, in a dry run, too", async () => {
  await using all = await loggedIn();
  const { home } = all;
  const removed = { size: 0, sha256: null, status: "removed", offset: 0, error: null };
  await Deno.mkdir(`${home.path}/t`);
  for (const name of ["a", "b"]) await Deno.writeTextFile(`${home.path}/t/${name}`, name);
  assert.equal((await home.barge(["put", "-r", "t", "/home/"])).code, 0);
  assert.equal((await home.barge(["get", "-r", "/home/t/", "here"])).code, 0);
  await Deno.remove(`${home.path}/t/b`);
  const put = ["put", "-r", "--update", "--delete", "--json", "t", "/home/"];
  const gone = { path: "/home/t/b", local: "t/b", ...removed };
  const [, rehearsed] = lines(await home.barge([...put, "--dry-run"]));
  assert.deepEqual(rehearsed, { ...gone, dryRun: true });
  assert.deepEqual(lines(await home.barge(put))[1], gone);
  const get = ["get", "-r", "--update", "--delete", "/home/t/", "here"];
  assert.equal((await home.barge([...get, "-n"])).stdout, "remove here/b\n");
  assert.deepEqual(lines(await home.barge([...get, "--json", "-n"])).at(-1).dryRun, true);
  assert.deepEqual(lines(await home.barge([...get, "--json"])).at(-1), {
    ...gone,
    local: "here/b",
  });
});

const undigested = "a download without a stored digest is noted, or fails with 13";
Deno.test(undigested, { ignore: onTwoNodes }, async () => {
  await using all = await loggedIn();
  const { home, server } = all;
  await Deno.writeTextFile(`${home.path}/f`, "f");
  assert.equal((await home.barge(["put", "f", "/home/"])).code, 0);
  const get = (...more: string[]) => home.barge(["get", "/home/f", "g", ...more]);
  assert.deepEqual(lines(await get("--json", "--require-digest")).map((line) => line.verified), [
    true,
  ]);
  await Deno.writeTextFile(`${server.data}/homes/anna/f`, "by hand");
  const plain = await get("--json");
  assert.deepEqual([plain.code, lines(plain)[0].verified], [0, false]);
  assert.match(plain.stderr, /^barge: \/home\/f: the server has no digest of it, .*checked$/m);
  assert.equal((await get("--require-digest")).code, 13);
  assert.equal(
    (await home.barge(["get", "/home/f", "g"], { env: { BARGE_REQUIRE_DIGEST: "1" } })).code,
    13,
  );
  assert.equal((await get("--require-digest", "--no-verify")).code, 2);
});

Deno.test("standard output by its other names is not replaced by a file", async () => {
  await using all = await loggedIn();
  const { home } = all;
  await Deno.writeTextFile(`${home.path}/f`, "hello\n");
  assert.equal((await home.barge(["put", "f", "/home/"])).code, 0);
  await Deno.symlink("/proc/self/fd/1", `${home.path}/out`);
  const under = ["sh", "-c", 'exec "$@" >answer', "sh"];
  const { code, stderr } = await home.barge(["get", "/home/f", "./out"], { under });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(Deno.readTextFileSync(`${home.path}/answer`), "hello\n");
  assert(Deno.lstatSync(`${home.path}/out`).isSymlink);
  assert.equal((await home.barge(["get", "--json", "/home/f", "./out"])).code, 2);
});

// It prepares a folder on the disk of one machine.
Deno.test("Ctrl-C ends a program whose output is not read", { ignore: onTwoNodes }, async () => {
  await using all = await loggedIn();
  const { home, server } = all;
  const folder = `${server.data}/homes/anna/t`;
  await Deno.mkdir(folder, { recursive: true });
  // Their names are much more than the program queues, so that it can't end before they are read.
  for (let i = 0; i < 3000; i++) Deno.writeTextFileSync(`${folder}/${"n".repeat(240)}${i}`, "");
  // The pipe has a reader, which reads nothing until the program has ended.
  const script =
    'exec 3>code; { "$@"; echo $? >&3; } | { while [ ! -s code ]; do sleep 0.1; done; }';
  const child = home.spawn(["ls", "-r"], { under: ["sh", "-c", script, "sh"] });
  const writer = await until(() => writersToPipes(child.pid).at(0));
  Deno.kill(writer, "SIGINT");
  const { stderr } = await child.output();
  assert.equal(new TextDecoder().decode(stderr), "barge: ls: interrupted\n");
  assert.equal(Deno.readTextFileSync(`${home.path}/code`), "130\n");
});

/** Returns the descendants of a process of which a thread waits for room in a pipe. */
function writersToPipes(parent: number): number[] {
  const found: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (!isBelow(Number(name), parent)) continue;
      const tasks = Array.from(Deno.readDirSync(`/proc/${name}/task`), (task) => task.name);
      const waits = (task: string) =>
        Deno.readTextFileSync(`/proc/${name}/task/${task}/wchan`).includes("pipe_write");
      if (tasks.some(waits)) found.push(Number(name));
    } catch { /* it has ended */ }
  }
  return found;
}

function isBelow(pid: number, parent: number): boolean {
  for (let at = pid; at > 1;) {
    if (at === parent) return true;
    at = Number(Deno.readTextFileSync(`/proc/${at}/stat`).replace(/^.*\) \S /, "").split(" ")[0]);
  }
  return false;
}
