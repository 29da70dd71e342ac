import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { History } from "../../cmd/_shell/history.ts";

async function withFolder(work: (folder: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "barge-history-" });
  try {
    work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("shell history: lines are saved, readable by their owner alone", () =>
  withFolder((folder) => {
    const path = `${folder}/state/barge/history`;
    const history = new History(path);
    deepStrictEqual(history.lines, []);
    for (const line of ["ls", "passwd hunter2", " secret", "get 'a b'"]) history.add(line);
    deepStrictEqual(new History(path).lines, ["ls", "get 'a b'"]);
    strictEqual(Deno.statSync(path).mode! & 0o777, 0o600);
    strictEqual(Deno.statSync(`${folder}/state/barge`).mode! & 0o777, 0o700);
  }));

Deno.test("shell history: opening cuts it to its newest lines, and makes it private", () =>
  withFolder((folder) => {
    const path = `${folder}/history`;
    const lines = Array.from({ length: 1500 }, (_, i) => `get ${i}`);
    Deno.writeTextFileSync(path, lines.join("\n") + "\n", { mode: 0o644 });
    deepStrictEqual(new History(path).lines, lines.slice(500));
    strictEqual(Deno.readTextFileSync(path), lines.slice(500).join("\n") + "\n");
    strictEqual(Deno.statSync(path).mode! & 0o777, 0o600);
    deepStrictEqual(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["history"]);
  }));

Deno.test("shell history: failures to save are ignored", () =>
  withFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/file`, "");
    for (const path of [undefined, `${folder}/file/history`, folder]) {
      const history = new History(path);
      history.add("ls");
      deepStrictEqual(history.lines, []);
    }
  }));
