/** Connections to PostgreSQL while it hangs, is cut off, or its answers are lost. */
import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { TLSSocket } from "node:tls";
import { BargeError, type Kind } from "../../../core/error.ts";
import { makeSelfSigned } from "../../../core/net/self_signed.ts";
import { Postgres, type PostgresOptions } from "../../../core/shared/database/postgres.ts";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";
import { Proxy } from "./_proxy.ts";

const deadlineMs = 400;

/** Runs work with a database behind a proxy, and a table `t (n integer)`. */
function test(
  name: string,
  work: (db: Postgres, proxy: Proxy, direct: Postgres) => Promise<void>,
): void {
  Deno.test({
    name: `PostgreSQL: ${name}`,
    ignore: !hasEngines,
    async fn() {
      await using setup = await SharedSetup.make();
      const direct = setup.first.db;
      await direct.all("CREATE TABLE t (n integer PRIMARY KEY)");
      const options = setup.postgres;
      using proxy = new Proxy({ hostname: options.host, port: options.port });
      await using db = new Postgres({
        ...options,
        host: "127.0.0.1",
        port: proxy.port,
        maxConnections: 2,
        deadlineMs,
      });
      await work(db, proxy, direct);
    },
  });
}

async function fails(kind: Kind, work: () => Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => error instanceof BargeError && error.kind === kind);
}

/** Expects that a statement, and a transaction, fail in the same way. */
async function isRefused(options: PostgresOptions, why: RegExp): Promise<void> {
  await using db = new Postgres({ ...options, deadlineMs: 5_000 });
  const refused = (error: unknown) =>
    error instanceof BargeError && error.kind === "fatal" && why.test(error.message);
  await assert.rejects(db.all("SELECT 1"), refused);
  await assert.rejects(db.transaction((tx) => tx.all("SELECT 1")), refused);
}

const insert = (n: number) => `INSERT INTO t (n) VALUES (${n})`;
const rows = async (db: Postgres) =>
  (await db.all<{ n: number }>("SELECT n FROM t ORDER BY n")).map(({ n }) => n);

test(
  "a server that hangs is unavailable within the deadline, and used again when it is back",
  async (db, proxy, direct) => {
    await db.all(insert(1));
    proxy.hang();
    await fails("unavailable", () => db.all("SELECT 1"));
    await fails("unavailable", () => db.transaction((tx) => tx.all(insert(2))));
    proxy.resume();
    await retry(() => db.all(insert(3)));
    assert.deepEqual(await rows(direct), [1, 3]);
  },
);

test("a server that hangs can't be listened to", async (db, proxy) => {
  proxy.hang();
  await fails("unavailable", () => db.listen("channel", () => {}));
});

test("a node that is cut off without notice does not keep its locks", async (db, proxy, direct) => {
  await direct.all(insert(1));
  await fails("unavailable", () =>
    db.transaction(async (tx) => {
      await tx.all("UPDATE t SET n = 2");
      proxy.hang();
      await tx.all("UPDATE t SET n = 3");
    }));
  await direct.all("UPDATE t SET n = n + 10");
  assert.deepEqual(await rows(direct), [11]);
});

test("a transaction that is cut off changes nothing", async (db, proxy, direct) => {
  await fails("unavailable", () =>
    db.transaction(async (tx) => {
      await tx.all(insert(1));
      proxy.cut();
      await tx.all(insert(2));
    }));
  // The server has noticed the end of the connection once nothing holds the row.
  await direct.all(insert(1));
  assert.deepEqual(await rows(direct), [1]);
});

test(
  "a statement never runs outside of its transaction after a reconnection",
  async (db, proxy, direct) => {
    await fails("unavailable", () =>
      db.transaction(async (tx) => {
        await tx.all(insert(1));
        proxy.cut();
        await new Promise((resolve) => setTimeout(resolve, deadlineMs / 2));
        await tx.all(insert(2)); // were it run on a new connection, it would commit by itself
      }));
    assert.deepEqual(await rows(direct), []);
  },
);

test("a commit whose answer is lost counts as what it was", async (db, proxy, direct) => {
  const commits = (bytes: Uint8Array) => /commit/i.test(new TextDecoder().decode(bytes));
  proxy.rules = {
    onSent(bytes) {
      if (!commits(bytes)) return "pass";
      proxy.rules = {};
      return "cut";
    },
  };
  const value = await db.transaction(async (tx) => {
    await tx.all(insert(1));
    return "done";
  });
  assert.deepEqual([value, await rows(direct)], ["done", [1]]);
});

test("of two transactions that wait for each other, both are made", async (db, _, direct) => {
  await direct.all("INSERT INTO t (n) VALUES (1), (2)");
  const both = Promise.withResolvers<void>();
  let first = 0;
  const swap = (a: number, b: number) =>
    db.transaction(async (tx) => {
      await tx.all("UPDATE t SET n = n WHERE n = $1::integer", a);
      if (++first === 2) both.resolve();
      if (first <= 2) await both.promise;
      await tx.all("UPDATE t SET n = n WHERE n = $1::integer", b);
    });
  await direct.all(
    `ALTER DATABASE ${
      (await direct.all<{ name: string }>("SELECT current_database() AS name"))[0].name
    } SET deadlock_timeout = '50ms'`,
  );
  await Promise.all([swap(1, 2), swap(2, 1)]);
});

test("callers wait for a connection, in turn and within the deadline", async (db, _, direct) => {
  const release = Promise.withResolvers<void>();
  const held = [1, 2].map((n) =>
    db.transaction(async (tx) => {
      await tx.all(insert(n));
      await release.promise;
    })
  );
  const late = fails("unavailable", () => db.all(insert(3)));
  await late;
  const next = db.all(insert(4));
  release.resolve();
  await Promise.all([...held, next]);
  assert.deepEqual(await rows(direct), [1, 2, 4]);
});

/** Runs work again until the connection is back. */
async function retry(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}

Deno.test({
  name: "PostgreSQL: a wrong password, and a database that is missing, are fatal",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const { postgres } = setup;
    await isRefused({ ...postgres, password: "wrong" }, /refuses the user or the password/);
    await isRefused({ ...postgres, database: "none" }, /no such database/);
  },
});

Deno.test("PostgreSQL: a certificate that is not trusted, or for another host, is fatal", async () => {
  const pair = await makeSelfSigned(["db.example"]);
  const closed: Promise<unknown>[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {}).once("data", () => {
      socket.write("S"); // TLS follows
      const secured = new TLSSocket(socket, { isServer: true, ...pair }).on("error", () => {});
      closed.push(new Promise((resolve) => secured.once("close", resolve)));
      secured.resume();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const options = { host: "127.0.0.1", port, database: "d", user: "u", password: "p" };
  await isRefused({ ...options, trust: undefined }, /certificate of the database is not accepted/);
  await isRefused({ ...options, trust: [pair.cert] }, /certificate of the database.*altnames/);
  await Promise.all(closed);
  await new Promise<unknown>((resolve) => server.close(resolve));
});
