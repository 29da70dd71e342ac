import assert from "node:assert/strict";
import { exitCodes, sharedCode } from "../../cmd/_term/exit.ts";
import { type Kind, kinds } from "../../core/error.ts";

Deno.test("exit codes are the frozen ones", () => {
  const frozen: Record<number, Kind[]> = {
    1: ["io"],
    2: ["usage"],
    3: ["no-directory"],
    4: ["not-found"],
    5: ["unavailable", "no-space", "changed"],
    6: ["refused", "protocol", "unsupported"],
    7: ["fatal"],
    11: ["denied", "unauthenticated", "code-needed"],
    12: ["over-quota"],
    13: ["digest"],
    14: ["exists"],
    15: ["identity"],
    130: ["interrupted"],
  };
  for (const [code, names] of Object.entries(frozen)) {
    for (const kind of names) assert.equal(exitCodes[kind], Number(code), kind);
  }
  assert.equal(Object.values(frozen).flat().length, Object.keys(kinds).length);
});

Deno.test("several failures end with the exit code that they share, else with 1", () => {
  assert.equal(sharedCode([]), 0);
  assert.equal(sharedCode(["over-quota", "over-quota"]), 12);
  assert.equal(sharedCode(["no-space", "unavailable"]), 5);
  assert.equal(sharedCode(["not-found", "exists"]), 1);
});
