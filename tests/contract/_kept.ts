/**
 * A server keeps nothing of what has ended. Each door's clients transfer, list, rename, remove, fail
 * to log in, are refused and are cut off, again and again; then the server has exactly as many
 * descriptors and uploads as before. With this checkout's workers, which can be instrumented, timers
 * and prepared statements are counted, too (tests/core/serve/_armed.ts). `deno task test:leaks` runs
 * enough rounds to see that memory does not grow.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { descriptorCount, residentBytes, until } from "../_observe.ts";
import { leakRounds, longLeakTest } from "../_program.ts";
import { type Server, startServer } from "../_server.ts";
import { pattern } from "../core/door/_peer.ts";
import { type DoorUnderTest, Refused } from "./_door.ts";

/** Rounds that fill caches and load lazy modules: rounds of two kinds take turns, so two of each. */
const warmUpRounds = 4;
/** New prepared statements that are allowed. */
const statementNoise = 4;
/** The counts are exact, so one round shows a leak; a statement leaked in each exceeds the noise. */
const rounds = leakRounds(statementNoise + 2);
/** The gain of the heap that is allowed in the last rounds; a leak gains more. */
const memoryNoiseBytes = 64 * 2 ** 20;
const smallBytes = 3000;
const largeBytes = 150_000;

/** Declares the test of one door. */
export function keepsNothing(door: DoorUnderTest): void {
  Deno.test(`the ${door.name} door keeps nothing of what has ended`, async () => {
    await using server = await startServer({
      args: ["--workers", "1", "--ban-after", "0", ...door.args],
      fault: longLeakTest ? undefined : "count=1",
    });
    await server.addUser("anna", { quota: "1MB" });
    const token = await server.issueToken("anna");
    await work(door, server, token, warmUpRounds);
    const before = await idle(server, () => true);
    const prepared = statements(server);
    await work(door, server, token, rounds / 2);
    const middle = residentBytes(server.pid);
    await work(door, server, token, rounds / 2);
    const gained = residentBytes(server.pid) - middle;
    await idle(server, (now) => {
      assert.deepEqual(now, before);
      return true;
    });
    const newStatements = statements(server) - prepared;
    assert.ok(newStatements <= statementNoise, `${newStatements} statements`);
    if (longLeakTest) {
      assert.ok(gained < memoryNoiseBytes, `${gained} bytes of memory in ${rounds / 2} rounds`);
    }
  });
}

/**
 * Everything that a door's clients do, with nothing left of it in the end.
 *
 * @param token logs in without the cost of a password's scrypt
 */
async function work(
  door: DoorUnderTest,
  server: Server,
  token: string,
  times: number,
): Promise<void> {
  await using here = await door.visit(server, "anna", token);
  const large = pattern(largeBytes);
  for (let i = 0; i < times; i++) {
    // Answered late, while the rest is done.
    const failedLogin = assert.rejects(() => door.visit(server, "anna", "wrong"), Refused);
    failedLogin.catch(() => {}); // looked at below, if nothing else fails before
    const bytes = i % 2 === 0 ? pattern(smallBytes, i) : large;
    await here.put("/home/a", bytes);
    assert.equal((await here.get("/home/a")).length, bytes.length);
    await here.list("/home");
    await here.mkdir("/home/folder");
    await here.move("/home/a", "/home/folder/b");
    await here.remove("/home/folder/b");
    await here.remove("/home/folder");
    await assert.rejects(() => here.get("/home/none"), Refused);
    await assert.rejects(() => here.put("/home/none/f", bytes), Refused);
    await assert.rejects(() => here.put("/home/full", pattern(1_000_001)), Refused);
    {
      await using cut = await door.visit(server, "anna", token);
      await cut.cut("/home/cut", large, largeBytes - 1);
    }
    await failedLogin;
    forgetFailures(server); // each one would be answered later than the last, by up to 5 s
  }
  // The cut upload stays for a resume. Once the server has let go of it, another file replaces it.
  await until(() => keptBy(server).held === 0);
  await here.put("/home/cut", pattern(smallBytes));
  await here.remove("/home/cut");
}

function forgetFailures({ data }: Server): void {
  using db = new DatabaseSync(`${data}/accounts.db`, { timeout: 5000 });
  db.exec("DELETE FROM failure");
}

/** The counts that must not grow. */
interface Kept {
  readonly descriptors: number;
  readonly uploads: number;
  /** Uploads that a connection writes. */
  readonly held: number;
  readonly staged: number;
  /** Timers that are set, as the workers last wrote. */
  readonly timers: number;
}

/** Looks until nothing is under way and the check passes. @throws what the check threw last */
async function idle(server: Server, check: (kept: Kept) => boolean): Promise<Kept> {
  const deadline = performance.now() + 20_000;
  while (true) {
    const kept = keptBy(server);
    try {
      if (kept.uploads === 0 && check(kept) && await isSteady(server, kept)) return kept;
      if (performance.now() > deadline) throw new Error(`not idle: ${JSON.stringify(kept)}`);
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Is it the same a moment later? The server notices the end of a connection by itself. */
async function isSteady(server: Server, kept: Kept): Promise<boolean> {
  for (let i = 0; i < 10; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (JSON.stringify(keptBy(server)) !== JSON.stringify(kept)) return false;
  }
  return true;
}

function keptBy(server: Server): Kept {
  using db = new DatabaseSync(`${server.data}/accounts.db`, { readOnly: true });
  const row = db.prepare("SELECT count(*) AS uploads, count(holder) AS held FROM upload").get();
  return {
    descriptors: descriptorCount(server.pid),
    ...row as { uploads: number; held: number },
    staged: countNames(`${server.data}/staging`),
    timers: lastCount(server, /^counts (\d+) timers/gm),
  };
}

function statements(server: Server): number {
  return lastCount(server, /^counts .* (\d+) statements$/gm);
}

/** The number in the last line that matches; 0 from workers that write none. */
function lastCount(server: Server, line: RegExp): number {
  return Number([...server.stderr().matchAll(line)].at(-1)?.[1] ?? 0);
}

function countNames(folder: string): number {
  return Array.from(Deno.readDirSync(folder)).length;
}
