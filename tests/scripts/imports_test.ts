import { deepStrictEqual } from "node:assert/strict";
import { dirname, join } from "node:path";
import { breaches } from "../../scripts/imports.ts";
import { ROOT } from "../../scripts/run.ts";

/** The breaches in a tree of these files, by path. */
function breachesIn(files: Record<string, string>): string[] {
  const root = Deno.makeTempDirSync({ prefix: "barge-imports-" });
  try {
    for (const [path, text] of Object.entries(files)) {
      Deno.mkdirSync(join(root, dirname(path)), { recursive: true });
      Deno.writeTextFileSync(join(root, path), text);
    }
    return breaches(root);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

Deno.test("imports: down the list, within a room and lazily is fine", () => {
  deepStrictEqual(
    breachesIn({
      "main.ts": `await import("./cmd/put.ts");`,
      "cmd/put.ts": `import {\n  put,\n} from "../core/client/put.ts";\n`,
      "core/client/put.ts": `import { encode } from "../protocol/encode.ts";`,
      "core/protocol/encode.ts": `import "./frame.ts";\nexport * from "../error.ts";`,
      "core/protocol/frame.ts": `/**\n * import { up } from "../../cmd/put.ts";\n */`,
      "core/error.ts": "",
      "core/local/database/open.ts": `import { DatabaseSync } from "node:sqlite";`,
      "core/sync/mod.ts": "",
    }),
    [],
  );
});

Deno.test("imports: an import that points up is reported, also of types and lazy ones", () => {
  deepStrictEqual(
    breachesIn({
      "cmd/put.ts": "",
      "core/net/dial.ts": `import type { Put } from "../../cmd/put.ts";`,
      "core/local/vault/stage.ts": `const a = await import(\n  "../ledger/ledger.ts"\n);`,
      "core/local/ledger/ledger.ts": "",
    }),
    [
      "core/local/vault/stage.ts -> core/local/ledger/ledger.ts: points up",
      "core/net/dial.ts -> cmd/put.ts: points up",
    ],
  );
});

Deno.test("imports: a client knows only the protocol", () => {
  deepStrictEqual(
    breachesIn({
      "core/client/put.ts": `import { stage } from "../local/vault/stage.ts";`,
      "core/local/vault/stage.ts": "",
    }),
    ["core/client/put.ts -> core/local/vault/stage.ts: a client knows only the protocol"],
  );
});

Deno.test("imports: only core/local opens the database", () => {
  deepStrictEqual(
    breachesIn({ "core/upload/put.ts": `import { DatabaseSync } from "node:sqlite";` }),
    ["core/upload/put.ts -> node:sqlite: only core/local opens the database"],
  );
});

Deno.test("imports: all files of a circle are reported", () => {
  deepStrictEqual(
    breachesIn({
      "core/local/vault/a.ts": `import "./b.ts";`,
      "core/local/vault/b.ts": `export type B = number;\nimport "./c.ts";`,
      "core/local/vault/c.ts": `import "./b.ts";`,
    }),
    ["core/local/vault/b.ts -> core/local/vault/c.ts -> core/local/vault/b.ts: a circle"],
  );
});

Deno.test("imports: a circle may consist of types", () => {
  deepStrictEqual(
    breachesIn({
      "core/net/a.ts": `import { b } from "./b.ts";`,
      "core/net/b.ts": `import type {\n  A,\n} from "./a.ts";`,
    }),
    ["core/net/a.ts -> core/net/b.ts -> core/net/a.ts: a circle"],
  );
});

Deno.test("imports: a barrel file and an unknown room are breaches", () => {
  deepStrictEqual(
    breachesIn({
      "core/net/mod.ts": "",
      "core/util/x.ts": `import "../error.ts";`,
      "core/error.ts": "",
    }),
    [
      "core/net/mod.ts: a barrel file; import from the files themselves",
      "core/util/x.ts -> core/error.ts: core/util is not on the list in scripts/imports.ts",
    ],
  );
});

Deno.test("imports: this repository keeps the rule", () => {
  deepStrictEqual(breaches(ROOT), []);
});

Deno.test("imports: doors, verbs, uploads and logins use storage only by its interfaces", () => {
  deepStrictEqual(
    breachesIn({
      "core/session/get.ts": `import type { Vault } from "../local/vault/vault.ts";`,
      "core/repair/recover.ts": `import type { Vault } from "../local/vault/vault.ts";`,
      "core/local/vault/vault.ts": "",
    }),
    [
      "core/session/get.ts -> core/local/vault/vault.ts: only core/storage's interfaces are known here",
    ],
  );
});
