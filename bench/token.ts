/** Issues a token for the account `bench`: a login by token derives no key. */
import { connect } from "../core/client/connect.ts";
import { login } from "../core/client/login.ts";
import { parseRemote } from "../core/client/remote.ts";
import type { Bench } from "./program.ts";

export async function issueToken({ address }: Bench): Promise<string> {
  using client = await connect(parseRemote(address));
  await login(client, { account: "bench", password: "bench-secret" });
  const { token } = await client.ask("token", { action: "issue", label: "bench" });
  return token!;
}
