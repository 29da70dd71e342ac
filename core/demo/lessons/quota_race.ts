/**
 * `quota-race`: barge's own quota. First, uploads check it and add to it in two steps, as in many
 * servers; then workers race in real time with the code that barge uses.
 */
import { Accounts } from "../../local/account/accounts.ts";
import { Database } from "../../local/database/database.ts";
import { Ledger } from "../../local/ledger/ledger.ts";
import { Reservations } from "../../local/ledger/reservation.ts";
import { BargeError } from "../../error.ts";
import { makeVerifier } from "../../protocol/verifier.ts";
import { Barrier, type Handle } from "../../sync/mod.ts";
import type { Lesson } from "../lesson.ts";
import type { Runner } from "../runner/runner.ts";
import { bilingual } from "../text.ts";

const quota = 1_000_000;
const uploadBytes = 300_000;
const attemptsPerRacer = 4;
/** The number of uploads that fit into the quota. */
const fits = Math.floor(quota / uploadBytes);

interface Account {
  /** The data directory. */
  readonly data: string;
  readonly account: number;
}

/** An upload of the file `name`. */
interface Upload extends Account {
  readonly name: string;
}

interface Sums {
  readonly used: number;
  readonly reserved: number;
}

const functions = {
  /** Checks the quota, sleeps, and adds the upload. @returns whether it was accepted */
  async checkThenAdd(thread, _: Record<never, never>, { data, account, name }: Upload) {
    using db = new Database(data, { durability: "relaxed" });
    const before = await thread.step(
      (n) => bilingual`sees ${n} bytes taken || 看到已占 ${n} 字节`,
      () => taken(db, account),
    );
    if (before + uploadBytes > quota) return false;
    await thread.step(bilingual`${uploadBytes} more fit into ${quota}: continues ||
      再加 ${uploadBytes} 也放得进 ${quota}：继续`);
    await thread.sleep(0.1);
    await thread.step(
      (n) => bilingual`adds ${uploadBytes}: ${n} are taken || 加上 ${uploadBytes}：占了 ${n}`,
      () => {
        db.run(
          `INSERT INTO upload (account, dir, name, want, credit, holder, touched)
         VALUES (?, 'homes/racer', ?, ?, 0, ?, 0)`,
          account,
          name,
          uploadBytes,
          name,
        );
        return taken(db, account);
      },
    );
    return true;
  },
} satisfies Lesson["functions"];

const jobs = {
  /** Reserves uploads while others do the same. @returns the number of successes */
  race({ data, account, start, name }: Account & {
    readonly start: Handle<"Barrier">;
    readonly name: string;
  }): number {
    using db = new Database(data, { durability: "relaxed" });
    const reservations = new Reservations(db, new Ledger(db));
    const place = { account, dir: "homes/racer", size: uploadBytes, modified: null, holder: name };
    Barrier.attach(start).wait();
    let won = 0;
    for (let i = 1; i <= attemptsPerRacer; i++) {
      try {
        reservations.begin([{ upload: { ...place, name: `${name}.${i}` } }]);
        won++;
      } catch (error) {
        if (!(error instanceof BargeError) || error.kind !== "over-quota") throw error;
      }
    }
    return won;
  },
};

/** Returns the bytes that an account has used and reserved. */
function taken(db: Database, account: number): number {
  const { used, reserved } = db.get<Sums & Record<never, never>>(
    "SELECT used, reserved FROM account WHERE id = ?",
    account,
  )!;
  return used + reserved;
}

export default {
  idea: {
    en: `Many servers keep a quota like this: they look up the used bytes, accept the upload if it
fits, and add its size afterwards. Two uploads at once both look before either adds, and both
fit: check-then-add is a lost update, between requests instead of threads. A lock in one
process does not help, as several processes of barge write. barge checks and adds in one SQL
statement, under the write lock of the database: either the space is yours, or you get an error
before you send a byte, however many uploads race.`,
    zh: `很多服务器是这样管配额的：看看用了多少，放得下就收，收完再加上去。两个上传同时来，都在对方
加上去之前看了，于是都“放得下”：先检查后增加，就是丢失更新的翻版，只不过发生在请求之间。单个
进程里的锁救不了，因为 barge 有好几个进程在写。barge 把检查和增加写成一条 SQL，在数据库的写锁
之下执行：要么空间已经归你，要么一个字节都没发就告诉你不够，不管多少人在抢。`,
  },
  code:
    `if (used() + size <= quota) add(size);                       // [[two at once: both fit || 两个同时来：都放得下]]

INSERT INTO upload (account, want, ...)
SELECT id, :want, ... FROM account
WHERE id = :account AND used + reserved + :want <= quota     -- [[no row: over quota || 没有写入行：超出配额]]`,
  threads: { default: 5, min: fits + 1, max: 12 },
  kinds: ["worker", "task"],
  functions,
  jobs,
  async run(runner, { threads }) {
    const raced = await withAccount(async ({ data, account }) => {
      const title = bilingual`check, then add: ${threads} uploads of ${uploadBytes} bytes, of which
        ${fits} fit || 先检查后增加：${threads} 个上传，各 ${uploadBytes} 字节，只放得下 ${fits} 个`;
      await runner.runScheduled(title, async (main) => {
        const name = bilingual`upload- || 上传-`;
        const argsOf = (i: number) => ({ data, account, name: `upload-${i}` });
        await main.join(await main.startEach(threads, name, functions.checkThenAdd, {}, argsOf));
      }, { stepSeconds: 0.001 });
      return total(data, account);
    });
    const { won, exact } = await withAccount(async ({ data, account }) => {
      const won = await race(runner, threads, { data, account });
      return { won, exact: total(data, account) };
    });
    return {
      ok: raced > quota && won === fits && exact === fits * uploadBytes,
      summary: bilingual`quota ${quota}; check-then-add: ${raced} taken; barge's ledger: ${exact}
        taken, ${won} of ${threads * attemptsPerRacer} attempts ||
        配额 ${quota}；先检查后增加：占了 ${raced}；barge 的账本：占了 ${exact}，
        ${threads * attemptsPerRacer} 次尝试成功 ${won} 次`,
    };
  },
} satisfies Lesson;

/** Lets workers race in real time. Only the number of successes is the same in each run. */
async function race(runner: Runner, threads: number, account: Account): Promise<number> {
  const names = Array.from({ length: threads }, (_, i) => `racer-${i + 1}`);
  const title = bilingual`barge's ledger: ${threads} workers race, ${attemptsPerRacer} attempts
    each ||
    barge 的账本：${threads} 个工作线程同时抢，各试 ${attemptsPerRacer} 次`;
  return await runner.runRealTime(title, async (trace) => {
    const lanes = names.map((_, i) => bilingual`racer-${i + 1} || 抢占者-${i + 1}`);
    for (const lane of lanes) trace.event({ t: 0, lane, what: "starts" });
    const start = new Barrier(threads).handle;
    const wins = await Promise.all(
      names.map((name) => runner.runInWorker(jobs.race, { ...account, start, name })),
    );
    const won = wins.reduce((sum, n) => sum + n, 0);
    for (const lane of lanes) trace.event({ t: 1, lane, what: "ends" });
    const text = bilingual`${won} were accepted || 放进了 ${won} 个`;
    trace.event({ t: 1, lane: bilingual`ledger || 账本`, what: "notes", text });
    return won;
  });
}

async function withAccount<T>(use: (account: Account) => Promise<T>): Promise<T> {
  const data = await Deno.makeTempDir({ prefix: "barge-demo-" });
  try {
    return await use({ data, account: await prepare(data) });
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

async function prepare(data: string): Promise<number> {
  using db = new Database(data, { create: true, durability: "relaxed" });
  const verifier = await makeVerifier("token", "nobody logs in here");
  return new Accounts(db).add({ name: "racer", role: "user", limit: quota, verifier }).id;
}

function total(data: string, account: number): number {
  using db = new Database(data, { durability: "relaxed" });
  return taken(db, account);
}
