/** Every field of every verb, against the table of verbs in PROTOCOL.md. */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { failure } from "../../../core/protocol/failure.ts";
import { parseRequest, type Verb, verbs } from "../../../core/protocol/message.ts";

const document = Deno.readTextFileSync(new URL("../../../PROTOCOL.md", import.meta.url));

const digest = "0".repeat(64);
const key = `${"A".repeat(43)}=`;
const verifier = {
  salt: "AAECAwQFBgcICQoLDA0ODw==",
  n: 32768,
  r: 8,
  p: 1,
  storedKey: key,
  serverKey: key,
};

/** Valid and invalid values of each field; null and a missing field are tested besides. */
const values: Record<string, [good: unknown, ...bad: unknown[]]> = {
  path: ["/home/a", 7, true, [], {}],
  from: ["/home/a", 7, true, [], {}],
  to: ["/home/b", 7, true, [], {}],
  account: ["anna", 7, true, [], {}],
  owner: ["anna", 7, true, [], {}],
  agent: ["x/1", 7, true, [], {}],
  label: ["cron", 7, true, [], {}],
  id: ["abc", 7, true, [], {}],
  version: [1, "1", -1, 1.5, 2 ** 53, true],
  size: [3, "3", -1, 1.5, 2 ** 53, true],
  offset: [3, "3", -1, 1.5, 2 ** 53, true],
  limit: [3, "3", -1, 1.5, 2 ** 53, true],
  recursive: [true, "true", 1, [], {}],
  parents: [true, "true", 1, [], {}],
  fresh: [true, "true", 1, [], {}],
  verifies: [true, "true", 1, [], {}],
  modified: ["2026-03-01t12:00:00z", "2026-02-30T12:00:00Z", "2026-03-01", 1772366400, true, {}],
  since: ["2026-03-01t12:00:00z", "2026-02-30T12:00:00Z", "2026-03-01", 1772366400, true, {}],
  overwrite: [{ sha256: digest }, "maybe", {}, { sha256: digest.toUpperCase().replace(/0/g, "A") }],
  nonce: ["EBESExQVFhcYGRobHB0eHyAhIiMkJSYn", "AAAA", "é".repeat(32), 7],
  proof: [key, "AAAA", 7],
  binding: [`tls-server-end-point:${key}`, 7, true, "x".repeat(201)],
  verifier: [verifier, {}, { ...verifier, n: 2 }, { ...verifier, salt: "x" }, "x"],
  mechanism: ["token", 7, true],
  algorithm: ["md5", 7, true],
  action: ["issue", "lend", 7],
  code: ["123456", 7, true, "x".repeat(101)],
  secret: ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 7, true, "x".repeat(201)],
  access: ["append-only", 7],
  doors: [["http", "sftp"], [], [7], "http"],
  expires: ["2027-01-31T12:00:00Z", "soon", "2027-01-31", 7],
};
/** The networks of a token to issue, whose field has the name of another one. */
const networks: [good: unknown, ...bad: unknown[]] = [["10.0.0.0/8"], [], [7], "10.0.0.0/8"];

function valuesOf(verb: Verb, field: string): [good: unknown, ...bad: unknown[]] {
  return verb === "token" && field === "from" ? networks : values[field];
}

const fields: Record<string, string[]> = {
  put: ["path", "size", "modified?", "overwrite?"],
  "put-many": ["overwrite?"],
  "get-many": [],
};
const fixed: Record<string, object> = {
  "put-many": { files: [{ path: "/home/a", size: 3, sha256: digest }], body: 3 },
  "get-many": { paths: ["/home/a"] },
};

/** Returns the verb of each row of the table of verbs, with its fields and question marks. */
function rows(): [verb: Verb, fields: string[]][] {
  return [...document.matchAll(/^\| (`[a-z`, -]+`) \|([^|]*)\|[^|]*\|[^|]*\|$/gm)]
    .flatMap(([, names, request]) =>
      [...names.matchAll(/`([a-z-]+)`/g)].map(([, verb]) =>
        [verb as Verb, [...request.matchAll(/`([A-Za-z]+\??)`/g)].map(([, field]) => field)] as [
          Verb,
          string[],
        ]
      )
    )
    .filter(([verb]) => verbs.includes(verb));
}

function kind(request: Record<string, unknown>): string {
  try {
    parseRequest(request);
    return "fits";
  } catch (error) {
    assert.ok(error instanceof BargeError, String(error));
    return error.kind;
  }
}

Deno.test("each verb has the fields that PROTOCOL.md lists, with their checks", () => {
  const table = rows();
  assert.deepEqual([...new Set(table.map(([verb]) => verb))].sort(), [...verbs].sort());
  for (const [verb, named] of table) {
    const all = fields[verb] ?? named;
    const names = all.map((field) => field.replace("?", ""));
    const whole: Record<string, unknown> = {
      verb,
      ...fixed[verb],
      ...Object.fromEntries(names.map((name) => [name, valuesOf(verb, name)[0]])),
    };
    if (names.includes("id")) whole.action = "revoke";
    if (verb === "set-totp") whole.action = names.includes("secret") ? "enable" : "disable";
    assert.equal(kind(whole), "fits", JSON.stringify(whole));
    assert.equal(kind({ ...whole, color: null }), "fits", `${verb} with an unknown field`);
    for (const field of all) {
      const name = field.replace("?", "");
      const without = { ...whole };
      delete without[name];
      assert.equal(kind(without), field.endsWith("?") ? "fits" : "protocol", `${verb} - ${name}`);
      const nullable = verb === "put" && name === "size";
      assert.equal(kind({ ...whole, [name]: null }), nullable ? "fits" : "protocol", name);
      for (const bad of valuesOf(verb, name).slice(1)) {
        const said = `${verb} with ${name} ${JSON.stringify(bad)}`;
        assert.equal(kind({ ...whole, [name]: bad }), "protocol", said);
      }
    }
    if (names.includes("mechanism")) {
      assert.equal(kind({ ...whole, mechanism: "x" }), "unsupported");
    }
    if (names.includes("algorithm")) {
      assert.equal(kind({ ...whole, algorithm: "x" }), "unsupported");
    }
    if (names.includes("access")) {
      assert.equal(kind({ ...whole, access: "x" }), "unsupported");
      assert.equal(kind({ ...whole, doors: ["http", "x"] }), "unsupported");
    }
  }
});

Deno.test("put-many and get-many: no file, too many, other sums, a repeated path", () => {
  const file = { path: "/home/a", size: 3, sha256: digest };
  const put = (files: object[], body: unknown = 3) => kind({ verb: "put-many", files, body });
  assert.equal(put([file]), "fits");
  assert.equal(put([], 0), "protocol");
  assert.equal(put([file], 4), "protocol");
  assert.equal(put([file], "chunked"), "protocol");
  assert.equal(put([file, file], 6), "protocol");
  assert.equal(put([{ ...file, sha256: null }]), "protocol");
  assert.equal(put([{ ...file, modified: "2026-02-30T12:00:00Z" }]), "protocol");
  assert.equal(put([{ ...file, size: 2 ** 21 }], 2 ** 21), "protocol");
  const files = Array.from({ length: 65 }, (_, i) => ({ ...file, path: `/home/${i}`, size: 0 }));
  assert.equal(put(files, 0), "protocol");
  assert.equal(put(files.slice(1), 0), "fits");
  const get = (paths: unknown) => kind({ verb: "get-many", paths });
  assert.equal(get(["/home/a", "/home/a"]), "fits");
  assert.equal(get([]), "protocol");
  assert.equal(get("/home/a"), "protocol");
  assert.equal(get(Array(65).fill("/home/a")), "protocol");
});

Deno.test("a failure has no lone surrogate, for any quoted text and any cut", () => {
  const facts = { path: `/home/\ud83d`, op: "get" };
  const said = JSON.stringify(failure(new BargeError("usage", "x".repeat(1999) + "😀", facts)));
  assert.ok(said.isWellFormed());
  assert.doesNotMatch(said, /\\ud8|\\udc/);
  assert.match(said, /\/home\/\ufffd/);
});
