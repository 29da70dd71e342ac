/** Reloads that are asked for while others run. */
import assert from "node:assert/strict";
import { type ChangedSettings, reloader } from "../../../core/serve/reload.ts";

Deno.test("a change during the second of two reloads is read by a third one", async () => {
  const settings = { limits: {}, logLevel: "info", changes: [], changed: {}, needRestart: [] };
  const reads: PromiseWithResolvers<ChangedSettings>[] = [];
  const began = [0, 1, 2].map(() => Promise.withResolvers<void>());
  const reload = reloader({
    readSettings() {
      const read = Promise.withResolvers<ChangedSettings>();
      began[reads.push(read) - 1].resolve();
      return read.promise;
    },
    recordChanges: () => Promise.resolve(),
    applySettings() {},
    source: () => undefined,
    certificate: () => undefined,
    applyCertificate() {},
  }, {});
  const end = (i: number) => reads[i].resolve(settings as unknown as ChangedSettings);

  const first = reload();
  const second = reload();
  assert.equal(reload(), second, "calls during the first one became two");
  end(0);
  await first;
  await began[1].promise;
  const third = reload();
  end(1);
  await second;
  await began[2].promise;
  end(2);
  await third;
  assert.equal(reads.length, 3);
});
