/** `serve --verify-every`: files are verified in the background, also after a kill -9. */
import assert from "node:assert/strict";
import { barge, type Server, startServer } from "../_server.ts";
import { until } from "../_observe.ts";
import { pattern } from "../core/door/_peer.ts";
import { makeFiles } from "./_data.ts";
import { scrape } from "./_monitoring.ts";
import { Database } from "../../core/local/database/database.ts";

const metrics = ["--metrics", "127.0.0.1:0"];
const finished = "all files were verified";

/** Makes a data directory with files of anna. */
async function withFiles(names: readonly string[], size: number) {
  const data = Deno.makeTempDirSync({ prefix: "barge-test-" });
  await makeFiles(data, Object.fromEntries(names.map((name, i) => [name, pattern(size, i)])));
  return {
    data,
    async [Symbol.asyncDispose]() {
      await Deno.remove(data, { recursive: true });
    },
  };
}

/** Changes a file's bytes, and neither its size nor its time. */
function damage({ data }: { readonly data: string }, name: string): void {
  const path = `${data}/homes/anna/${name}`;
  const { mtime, size } = Deno.statSync(path);
  Deno.writeFileSync(path, new Uint8Array(size));
  Deno.utimeSync(path, mtime!, mtime!);
}

function state(
  { data }: { readonly data: string },
): { began: number | null; position: string; files: number } {
  using db = new Database(data);
  return db.get("SELECT began, position, files FROM verification")!;
}

async function verified(server: Server): Promise<Record<string, unknown>[]> {
  const { stdout, stderr } = await barge(["audit", "--json", ...server.storage]);
  const records = stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  assert(records.length > 0, stderr);
  return records.filter(({ event }) => event === "storage-verified").map(({ details }) => details);
}

Deno.test("a damaged and a missing file are found in the background, and not repaired", async () => {
  await using made = await withFiles(["a", "b", "c"], 1000);
  damage(made, "b");
  Deno.removeSync(`${made.data}/homes/anna/c`);
  await using server = await startServer({
    data: made.data,
    args: ["--verify-every", "1d", ...metrics],
  });
  await server.said(finished);
  assert.match(server.stderr(), /homes\/anna\/b: is damaged/);
  assert.match(server.stderr(), /homes\/anna\/c: in the ledger, and not on disk/);
  assert.doesNotMatch(server.stderr(), /homes\/anna\/a/);
  const values = await until<Map<string, number> | undefined>(async () => {
    const samples = new Map((await scrape(server.facts)).map(({ name, value }) => [name, value]));
    return samples.has("barge_verify_finished_timestamp_seconds") ? samples : undefined;
  });
  assert.equal(values.get("barge_verify_bad_files"), 2);
  assert.equal(values.get("barge_verify_files"), 3);
  assert.equal(values.get("barge_verify_interval_seconds"), 86_400);
  const ended = values.get("barge_verify_finished_timestamp_seconds")!;
  assert.equal(Math.round(values.get("barge_verify_due_timestamp_seconds")! - ended), 86_400);
  assert.deepEqual(await verified(server), [{ files: 3, bytes: 2000, bad: 2 }]);
  const { code } = await barge(["verify", ...server.storage]);
  assert.equal(code, 13, "nothing was repaired");
});

Deno.test("a verification goes on after a kill -9 where it was", async () => {
  const names = Array.from({ length: 30 }, (_, i) => `f${`${i}`.padStart(2, "0")}`);
  await using made = await withFiles(names, 20_000);
  const every = ["--verify-every", "1d"];
  {
    const args = [...every, "--verify-rate", "40kB"];
    await using slow = await startServer({ data: made.data, args });
    await until(() => state(slow).files > 0);
    await slow.kill("SIGKILL");
  }
  const { position, files } = state(made);
  assert.equal(position, `homes/anna/${names[files - 1]}`);
  assert(files < names.length - 1);
  damage(made, names[0]); // this round has checked it
  damage(made, names.at(-1)!);
  await using server = await startServer({ data: made.data, args: every });
  await server.said(finished);
  assert.match(server.stderr(), /the verification of all files goes on/);
  assert.match(server.stderr(), new RegExp(`${names.at(-1)}: is damaged`));
  assert.doesNotMatch(server.stderr(), new RegExp(`${names[0]}: is damaged`));
  assert.deepEqual(await verified(server), [{ files: 30, bytes: 600_000, bad: 1 }]);
  assert.equal(state(server).began, null);
});

Deno.test("SIGTERM ends a verification in the middle of a file", async () => {
  await using made = await withFiles(["large"], 200_000);
  const args = ["--verify-every", "1d", "--verify-rate", "1kB"]; // it would take minutes
  await using server = await startServer({ data: made.data, args });
  await server.said("the verification of all files begins");
  assert.equal(await server.kill("SIGTERM"), 0);
  assert.doesNotMatch(server.stderr(), new RegExp(finished));
  assert.notEqual(state(made).began, null);
});
