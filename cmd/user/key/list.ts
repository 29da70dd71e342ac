/** `barge user key list`: the public keys that an account may log in with. */
import type { PublicKey } from "../../../core/storage/public_key.ts";
import { accountsCommand } from "../../_data/accounts.ts";
import { argument } from "../../_term/command.ts";
import { printJson } from "../../_term/out.ts";
import { minute, printTable } from "../../_term/table.ts";

export default accountsCommand({
  options: { name: argument("NAME", "The account") },
  about: `Lists the public keys that an account may log in with at the SFTP door, oldest first.`,
  examples: [["barge user key list alice", "show alice's keys"]],
  async run({ name, json }, { accounts, logins }) {
    const keys = await logins.keys((await accounts.get(name)).id);
    if (json) return keys.map(keyFields).forEach(printJson);
    const rows = keys.map((key) => [
      key.type,
      key.fingerprint,
      minute(key.added),
      minute(key.used),
      key.comment,
    ]);
    printTable(["TYPE", "FINGERPRINT", "ADDED", "LAST USED", "COMMENT"], rows);
  },
});

/** A key as `--json` shows it. The fields are frozen. */
function keyFields({ type, fingerprint, comment, added, used }: PublicKey) {
  const time = (ms: number) => new Date(ms).toISOString();
  return {
    type,
    fingerprint,
    comment,
    added: time(added),
    used: used === null ? null : time(used),
  };
}
