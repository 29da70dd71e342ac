import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { prepareData } from "../../../core/serve/data.ts";

/** Mounts a file system until disposal. @returns undefined if it can't */
function mount(path: string): Disposable | undefined {
  const run = (command: string, ...args: string[]) => {
    try {
      return new Deno.Command(command, { args, stderr: "null" }).outputSync().success;
    } catch {
      return false; // there is no such program
    }
  };
  if (!run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path)) return undefined;
  return { [Symbol.dispose]: () => void run("umount", path) };
}

const possible = (() => {
  const path = Deno.makeTempDirSync({ prefix: "barge-data-" });
  const disk = mount(path);
  disk?.[Symbol.dispose]();
  Deno.removeSync(path);
  return disk !== undefined;
})();

const name = "a data directory of two file systems is refused: nothing can be renamed across";
Deno.test({
  name: possible ? name : `${name} (skipped: a disk can't be mounted here)`,
  ignore: !possible,
  fn() {
    for (const folder of ["homes", "public", "staging"]) {
      const data = prepareData(Deno.makeTempDirSync({ prefix: "barge-data-" }));
      {
        using _disk = mount(`${data}/${folder}`);
        const refusal = (error: unknown) =>
          error instanceof BargeError && error.kind === "fatal" &&
          /staging\/ are on different file systems/.test(error.message);
        assert.throws(() => prepareData(data), refusal, folder);
      }
      assert.equal(prepareData(data), data);
      Deno.removeSync(data, { recursive: true });
    }
  },
});
