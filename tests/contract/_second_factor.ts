/** Every door's promise of second factors: a password needs a code, which logs in once; a token needs none. */
import assert from "node:assert/strict";
import { codeAt, stepMs } from "../../core/protocol/totp.ts";
import { pattern } from "../core/door/_peer.ts";
import { type DoorUnderTest, Refused } from "./_door.ts";
import { password, type Promised, type Stage } from "./_suite.ts";

/** Each with an account of its own, as those of _suite.ts. */
export function secondFactorPromises(door: DoorUnderTest): Promised[] {
  const promises: Promised[] = [
    { name: "a password needs the code of a second factor, and a token none", work: tokenServes },
  ];
  if (!door.visitWithCode) return promises;
  return [
    ...promises,
    { name: "a code logs in once, also where two logins race for it", work: codeOnce },
    { name: "wrong, old and early codes are refused", work: wrongCodes },
  ];
}

async function tokenServes(stage: Stage): Promise<void> {
  const { door, server, account, here, token } = stage;
  await (await door.visit(server, account, password))[Symbol.asyncDispose]();
  await server.enableTotp(account);
  await assert.rejects(() => door.visit(server, account, password), Refused);
  await here.put("/home/f", pattern(10));
  await using visitor = await door.visit(server, account, token);
  assert.equal((await visitor.get("/home/f")).length, 10);
  await server.changeUser(account, { totp: false });
  await using again = await door.visit(server, account, password);
  assert.equal((await again.get("/home/f")).length, 10);
}

async function codeOnce(stage: Stage): Promise<void> {
  const { door, server, account } = stage;
  const visit = (code: string) => door.visitWithCode!(server, account, password, code);
  const secret = await server.enableTotp(account);
  const code = codeAt(secret, Date.now());
  const outcomes = await Promise.allSettled([visit(code), visit(code)]);
  const visitors = outcomes.flatMap((outcome) =>
    outcome.status === "fulfilled" ? [outcome.value] : []
  );
  try {
    assert.equal(visitors.length, 1);
    await visitors[0].put("/home/f", pattern(10));
    await assert.rejects(() => visit(code), Refused);
    // The next step's code is right already, and the code before it is not any more.
    await using next = await visit(codeAt(secret, Date.now() + stepMs));
    assert.equal((await next.get("/home/f")).length, 10);
    await assert.rejects(() => visit(codeAt(secret, Date.now())), Refused);
  } finally {
    for (const visitor of visitors) await visitor[Symbol.asyncDispose]();
  }
}

async function wrongCodes(stage: Stage): Promise<void> {
  const { door, server, account } = stage;
  const visit = (code: string, secret = password) =>
    door.visitWithCode!(server, account, secret, code);
  const secret = await server.enableTotp(account);
  const at = (steps: number) => codeAt(secret, Date.now() + steps * stepMs);
  for (const code of [at(-3), at(3), "abcd-efgh-ijkm-npqr"]) {
    await assert.rejects(() => visit(code), Refused, code);
  }
  // The right code is not used up by a wrong password.
  const code = at(0);
  await assert.rejects(() => visit(code, "wrong-secret"), Refused);
  await (await visit(code))[Symbol.asyncDispose]();
}
