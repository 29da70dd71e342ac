/**
 * `quota-race`: barge's own quota. First as many servers have it, looked up and then added to;
 * then as barge has it, with the very code of its ledger, by workers that race in earnest.
 */
import { Accounts } from "../local/account/accounts.ts";
import { Database } from "../local/database/database.ts";
import { Ledger } from "../local/ledger/ledger.ts";
import { Reservations } from "../local/ledger/reservation.ts";
import { BargeError } from "../error.ts";
import { makeVerifier } from "../protocol/verifier.ts";
import { Barrier, type Handle } from "../sync/mod.ts";
import type { Agent } from "./agent.ts";
import { lesson } from "./lesson.ts";
import type { Stage } from "./stage.ts";
import { bilingual } from "./text.ts";

/** The account's capacity, an upload, and how often each racer tries. */
const [quota, size, tries] = [1_000_000, 300_000, 4];
const fits = Math.floor(quota / size);

interface Account {
  /** The data directory. */
  readonly data: string;
  readonly account: number;
}

/** A request of its own, with the name of its file. */
interface Upload extends Account {
  readonly name: string;
}

interface Sums {
  readonly used: number;
  readonly reserved: number;
}

const roles = {
  /** Checks, thinks, adds. */
  async careless(me: Agent, _: Record<never, never>, { data, account, name }: Upload) {
    using db = new Database(data, { durability: "relaxed" });
    const seen = await me.does(
      (n) => ({ en: `sees ${n} bytes taken`, zh: `看到已占 ${n} 字节` }),
      () => taken(db, account),
    );
    if (seen + size > quota) return false;
    await me.does({
      en: `${size} more fit into ${quota}: goes on`,
      zh: `再加 ${size} 也放得进 ${quota}：继续`,
    });
    await me.sleeps(0.1);
    await me.does(
      (n) => ({ en: `adds its ${size}: ${n} are taken`, zh: `加上 ${size}：占了 ${n}` }),
      () => {
        db.run(
          `INSERT INTO upload (account, dir, name, want, credit, holder, touched)
         VALUES (?, 'homes/racer', ?, ?, 0, ?, 0)`,
          ...[account, name, size, name],
        );
        return taken(db, account);
      },
    );
    return true;
  },
};

const errands = {
  /** Reserves as often as it can, at the same time as others. @returns how often it could */
  race({ data, account, start, name }: Account & {
    readonly start: Handle<"Barrier">;
    readonly name: string;
  }): number {
    using db = new Database(data, { durability: "relaxed" });
    const reservations = new Reservations(db, new Ledger(db));
    const place = { account, dir: "homes/racer", size, modified: null, holder: name };
    Barrier.attach(start).wait();
    let won = 0;
    for (let i = 1; i <= tries; i++) {
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

/** What an account has used and reserved. */
function taken(db: Database, account: number): number {
  const { used, reserved } = db.get<Sums & Record<never, never>>(
    "SELECT used, reserved FROM account WHERE id = ?",
    account,
  )!;
  return used + reserved;
}

export default lesson({
  idea: {
    en:
      `Many servers keep a quota like this: look how much is used; if the upload fits, take it, and
add it up. Two uploads at once both look before either adds, and both fit: check-then-add is
the lost update again, between requests in place of threads. A lock in one process is no cure,
as barge has several. barge checks and adds in one SQL statement, under the database's write
lock: either the room is yours or you get an error, before a byte is sent, however many race.`,
    zh: `很多服务器是这样管配额的：看看用了多少，放得下就收，收完再加上去。两个上传同时来，都在对方
加上去之前看了，于是都“放得下”：先检查后增加，就是丢失更新的翻版，只不过发生在请求之间。单个
进程里的锁救不了，因为 barge 有好几个进程在写。barge 把检查和增加写成一条 SQL，在数据库的写锁
之下执行：要么空间已经归你，要么一个字节都没发就告诉你不够，不管多少人在抢。`,
  },
  code: bilingual`if (used() + size <= quota) add(size);                       // ${{
    en: "two at once: both fit",
    zh: "两个同时来：都放得下",
  }}

INSERT INTO upload (account, want, ...)
SELECT id, :want, ... FROM account
WHERE id = :account AND used + reserved + :want <= quota     -- ${{
    en: "no row: over quota",
    zh: "没有写入行：超出配额",
  }}`,
  threads: { usual: 5, least: fits + 1, most: 12 },
  kinds: ["worker", "task"],
  roles,
  errands,
  async play(stage, { threads }) {
    const broken = await withAccount(async ({ data, account }) => {
      await stage.act({
        en: `check, then add: ${threads} uploads of ${size}, room for ${fits}`,
        zh: `先检查后增加：${threads} 个上传，各 ${size} 字节，只放得下 ${fits} 个`,
      }, async (main) => {
        const started = [];
        for (let i = 1; i <= threads; i++) {
          const args = { data, account, name: `upload-${i}` };
          const name = { en: `upload-${i}`, zh: `上传-${i}` };
          started.push(await main.start(name, roles.careless, {}, args));
        }
        await main.join(started);
      }, { tick: 0.001 });
      return total(data, account);
    });
    const { won, mended } = await withAccount(async ({ data, account }) => {
      const won = await race(stage, threads, { data, account });
      return { won, mended: total(data, account) };
    });
    return {
      ok: broken > quota && won === fits && mended === fits * size,
      said: {
        en: `quota ${quota}; check-then-add: ${broken} taken; barge's ledger: ${mended} taken, ` +
          `${won} of ${threads * tries} attempts`,
        zh: `配额 ${quota}；先检查后增加：占了 ${broken}；barge 的账本：占了 ${mended}，` +
          `${threads * tries} 次尝试成功 ${won} 次`,
      },
    };
  },
});

/** Lets workers race in real time. The winners differ from run to run, their number does not. */
async function race(stage: Stage, threads: number, account: Account): Promise<number> {
  const names = Array.from({ length: threads }, (_, i) => `racer-${i + 1}`);
  const title = {
    en: `barge's ledger: ${threads} workers race, ${tries} attempts each`,
    zh: `barge 的账本：${threads} 个工作线程同时抢，各试 ${tries} 次`,
  };
  return await stage.live(title, async (scene) => {
    const lanes = names.map((_, i) => ({ en: `racer-${i + 1}`, zh: `抢占者-${i + 1}` }));
    for (const lane of lanes) scene.event({ t: 0, lane, what: "starts" });
    const start = new Barrier(threads).handle;
    const wins = await Promise.all(
      names.map((name) => stage.errand(errands.race, { ...account, start, name })),
    );
    const won = wins.reduce((sum, n) => sum + n, 0);
    for (const lane of lanes) scene.event({ t: 1, lane, what: "ends" });
    const text = { en: `${won} were let in`, zh: `放进了 ${won} 个` };
    scene.event({ t: 1, lane: { en: "ledger", zh: "账本" }, what: "notes", text });
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
