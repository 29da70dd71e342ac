/** `barge audit`: shows the audit trail, of a storage or at a server. */
import { BargeError } from "../../core/error.ts";
import { type AuditFields, auditFields } from "../../core/session/audit_fields.ts";
import { auditPages } from "../../core/storage/audit/pages.ts";
import { accountsOptions, openAccounts } from "../_data/accounts.ts";
import { openSession, sessionOptions } from "../_client/session.ts";
import { command, isDataNamed, isOnLine, value, type ValuesOf } from "../_term/command.ts";
import { moment } from "../_term/moment.ts";
import { printJson, printLine } from "../_term/out.ts";
import { plain } from "../_term/value.ts";

const options = {
  since: value(moment(), "Only events since this time: an age like 12h or 7d, or a date"),
  account: value(plain("NAME"), "Only events about this account, or by it; also of a removed one"),
  ...sessionOptions,
  ...accountsOptions,
};
type Values = ValuesOf<typeof options>;

export default command({
  options,
  about:
    `Shows the audit trail, the newest events first: logins and failed logins, bans, and changes
    of accounts, tokens, keys, share links and settings, with the account that acted, its address and
    the door. Changes of files are in it where the server runs with --audit files.

    By default it asks the server of the last \`barge login\`, which answers to admins. With --data it
    reads a data directory, with --store and --bucket the storage of a cluster, and asks no server.

    Logins that are alike, in one minute, are one line with a number. A name that no account has is
    shown as \`?\` and a digest. \`the operator\` is a command or a signal on the server's machine.
    The server keeps records for --audit-days, and a bounded number of each kind.

    With --json, one object a line: \`id, time, last, count, event, account, by, address, door,
    details\`; PROTOCOL.md, "Audit", defines them.`,
  examples: [
    ["barge audit --since 1d", "the events of the last day, at the server"],
    ["barge audit --account alice --data /srv/barge", "all about alice, and by her"],
    ["barge audit --since 7d --json | jq 'select(.event == \"ban\")'", "the bans of a week"],
  ],
  async run(values, { signal }) {
    const print = values.json ? printJson : printRecord;
    if (isStorage(values)) return await readStorage(values, signal, print);
    const { audit } = await import("../../core/client/audit.ts");
    const { since, account } = values;
    const query = {
      account,
      since: since === undefined ? undefined : new Date(since).toISOString(),
    };
    await using session = await openSession(values, signal);
    await audit(session.client, query, (records) => records.forEach(print));
  },
});

/**
 * Returns whether to read a storage, in place of asking a server.
 *
 * @throws {BargeError} `usage` where the command line names both
 */
function isStorage({ store, bucket }: Values): boolean {
  const isNamed = store !== undefined || bucket !== undefined || isDataNamed();
  if (!isOnLine("--server") || !isNamed) return isNamed;
  const storage = ["--data", "--store", "--bucket"] as const;
  if (!storage.some((option) => isOnLine(option))) return false;
  throw new BargeError("usage", "--server and a storage exclude each other");
}

async function readStorage(
  values: Values,
  signal: AbortSignal,
  print: (record: AuditFields) => void,
): Promise<void> {
  const { since, account } = values;
  await using stores = await openAccounts(values);
  for await (const records of auditPages((page) => stores.audit.list(page), { since, account })) {
    signal.throwIfAborted();
    for (const record of records) print(auditFields(record));
  }
}

/** `2026-11-30T08:00:00.000Z token-issued anna by root from 192.0.2.7 (http): token=12ab ...` */
function printRecord({ time, count, event, account, by, address, door, details }: AuditFields) {
  const isOperator = by === null && door === null;
  const parts = [
    time,
    event,
    count > 1 && `(${count} times)`,
    account,
    isOperator ? "by the operator" : by !== null && by !== account && `by ${by}`,
    address !== null && `from ${address}`,
    door !== null && `(${door})`,
    ...Object.entries(details).filter(([, fact]) => fact !== null && fact !== false)
      .map(([name, fact]) => `${name}=${factText(fact)}`),
  ];
  printLine(parts.filter((part) => part !== null && part !== false).join(" "));
}

function factText(fact: unknown): string {
  if (typeof fact === "object" && fact !== null && "from" in fact && "to" in fact) {
    return `${factText(fact.from)}->${factText(fact.to)}`;
  }
  if (typeof fact === "string" && /^[\w.:/+@-]+$/.test(fact)) return fact;
  return JSON.stringify(fact);
}
