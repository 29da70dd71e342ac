/**
 * Time against the accounts there are: logging in to one of them. Accounts are copied in the database,
 * with one account's password: to derive a key for each would take longer than all the rest.
 */
import { DatabaseSync } from "node:sqlite";
import { connect } from "../../core/client/connect.ts";
import { type Credentials, login } from "../../core/client/login.ts";
import { parseRemote } from "../../core/client/remote.ts";
import type { Plot } from "../plot.ts";
import { startBench } from "../program.ts";
import { issueToken } from "../token.ts";
import { clocked, type Reach, sampled } from "./reach.ts";

const most = { quick: 1000, usual: 10_000, full: 10_000 };
/** Logins of each kind, of which the mean counts. */
const logins = 10;

export async function growAccounts({ size, rounds, dir, tell }: Reach): Promise<Plot> {
  await using bench = await startBench({ dir }, "--ban-after", "0");
  const remote = parseRemote(bench.address);
  const token = await issueToken(bench);
  const counts = [];
  for (let n = 10; n <= most[size]; n *= 10) counts.push(n);
  let there = 1;
  const lines = await sampled(counts, rounds, async (n) => {
    tell(`${n} accounts`);
    copyAccounts(`${bench.folder}/data/accounts.db`, there, n);
    there = n;
    const enter = (credentials: (i: number) => Credentials) =>
      clocked(async () => {
        for (let i = 0; i < logins; i++) {
          using client = await connect(remote);
          await login(client, credentials(i));
        }
      }).then((ms) => ms / logins);
    const among = (i: number) => `copy-${1 + Math.floor(i * (n - 2) / logins)}`;
    return {
      "login by password": await enter((i) => ({ account: among(i), password: "bench-secret" })),
      "login by token": await enter(() => ({ token })),
      "barge user list": (await bench.admin("user", "list", "--json")).seconds * 1000,
    };
  });
  return { title: "Accounts", x: "accounts", y: "ms", lines };
}

/** Copies the first account, named bench, until there are so many. */
function copyAccounts(path: string, from: number, to: number): void {
  using db = new DatabaseSync(path);
  const columns = "role, quota, salt, n, r, p, stored_key, server_key, created";
  const copy = db.prepare(
    `INSERT INTO account (name, ${columns}) SELECT ?, ${columns} FROM account WHERE name = 'bench'`,
  );
  db.exec("BEGIN IMMEDIATE");
  for (let i = from; i < to; i++) copy.run(`copy-${i}`);
  db.exec("COMMIT");
}
