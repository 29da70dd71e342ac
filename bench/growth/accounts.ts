/** Time against the number of accounts. */
import { connect } from "../../core/client/connect.ts";
import { type Credentials, login } from "../../core/client/login.ts";
import { parseRemote } from "../../core/client/remote.ts";
import type { Plot } from "../plot.ts";
import { issueToken } from "../token.ts";
import { clocked, sampled, type SampleOptions } from "./sampling.ts";

const maxAccounts = { quick: 1000, default: 10_000, full: 10_000 };
/** Logins of each kind; the result is their mean. */
const logins = 10;

export async function growAccounts({ size, rounds, start, report }: SampleOptions): Promise<Plot> {
  await using bench = await start("--ban-after", "0");
  const remote = parseRemote(bench.address);
  const token = await issueToken(bench);
  const counts = [];
  for (let n = 10; n <= maxAccounts[size]; n *= 10) counts.push(n);
  let accounts = 1;
  const lines = await sampled(counts, rounds, async (n) => {
    report(`${n} accounts`);
    await bench.copyAccounts(accounts, n);
    accounts = n;
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
