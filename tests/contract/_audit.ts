/** Every door's promise of the audit trail: logins and failures are in it, with the door and the address. */
import assert from "node:assert/strict";
import type { AuditFields } from "../../core/session/audit_fields.ts";
import { barge } from "../_server.ts";
import { type DoorUnderTest, Refused } from "./_door.ts";
import type { Promised, Stage } from "./_suite.ts";

/** Each with an account of its own, as those of _suite.ts. */
export function auditPromises(door: DoorUnderTest): Promised[] {
  return [{
    name: "a login, and a failed one, are in the audit trail",
    work: (stage) => isRecorded(stage, door),
  }];
}

async function isRecorded({ server, account, token }: Stage, door: DoorUnderTest): Promise<void> {
  const wrong = "not the secret of anyone";
  await assert.rejects(door.visit(server, account, wrong), Refused);
  const unknown = `nobody-${account}`;
  await assert.rejects(door.visit(server, unknown, wrong), Refused);
  await assert.rejects(
    door.visit(server, account, `barge_0123456789ab_${"s".repeat(43)}`),
    Refused,
  );
  const records = await trail(server.storage, account);
  const name = door.name === "WebDAV" ? "http" : door.name.toLowerCase();
  const here = records.filter((record) => record.door === name);
  const login = here.find(({ event }) => event === "login")!;
  assert.deepEqual([login.account, login.by], [account, account]);
  assert.deepEqual(login.details, { with: "token", token: token.split("_")[1] });
  const failures = here.filter(({ event }) => event === "login-failed");
  for (const secret of ["password", "token"]) {
    const failed = failures.find(({ details }) => details.with === secret)!;
    assert.deepEqual([failed.account, failed.by], [account, null], secret);
  }
  const [failed] = failures;
  assert.match(failed.address!, /^127\.|^::1$/);
  const text = JSON.stringify(await trail(server.storage));
  assert(!text.includes(wrong) && !text.includes(unknown), "no text of a failed login is recorded");
  const id = token.split("_")[1];
  assert(!text.includes(token.slice(`barge_${id}_`.length)));
}

/** Returns the records about an account and by it; without an account, all. */
async function trail(storage: readonly string[], account?: string): Promise<AuditFields[]> {
  const filter = account === undefined ? [] : ["--account", account];
  const { code, stdout, stderr } = await barge(["audit", "--json", ...storage, ...filter]);
  assert.equal(code, 0, stderr);
  return stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}
