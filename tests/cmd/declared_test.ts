import assert from "node:assert/strict";
import { parseDeclared } from "../../cmd/_data/declared.ts";
import { BargeError } from "../../core/error.ts";

function refusal(value: unknown): string {
  try {
    parseDeclared(typeof value === "string" ? value : JSON.stringify(value), "file");
  } catch (error) {
    assert(error instanceof BargeError);
    assert.equal(error.kind, "usage");
    return error.message;
  }
  throw new assert.AssertionError({ message: "accepted" });
}

Deno.test("accounts are read with their quotas", () => {
  const accounts = [
    { name: "a", quota: "20GiB", password: "x" },
    { name: "b", quota: "none", role: "admin", disabled: true, passwordFile: "b.pw" },
    { name: "c", quota: 5 },
    { name: "d", state: "absent" },
  ];
  const declared = parseDeclared(JSON.stringify({ accounts }), "file");
  assert.deepEqual(declared.map(({ limit }) => limit), [20 * 1024 ** 3, null, 5, undefined]);
  assert.deepEqual(declared.map(({ absent }) => absent), [false, false, false, true]);
});

Deno.test("an invalid declaration is refused, with the field", () => {
  const with1 = (account: object) => ({ accounts: [{ name: "a", ...account }] });
  assert.match(refusal("{"), /not JSON/);
  assert.match(refusal({}), /accounts/);
  assert.match(refusal(with1({ qouta: 1 })), /accounts\.0\.qouta: there is no such field/);
  assert.match(refusal(with1({ quota: "much" })), /accounts\.0\.quota/);
  assert.match(refusal(with1({ quota: -1 })), /accounts\.0\.quota/);
  assert.match(refusal(with1({ role: "root" })), /accounts\.0\.role/);
  assert.match(refusal(with1({ password: "" })), /accounts\.0\.password/);
  assert.match(refusal(with1({ password: "a", passwordFile: "b" })), /both/);
  assert.match(refusal({ accounts: [{ name: "../x" }] }), /name/);
  assert.match(refusal({ accounts: [{ name: "a" }, { name: "A" }] }), /twice/);
});
