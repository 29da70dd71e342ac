/** The supervisor believes no message of a worker that was broken into. */
import assert from "node:assert/strict";
import { configureSync, resetSync } from "@logtape/logtape";
import { prepareData } from "../../../core/serve/data.ts";
import { readFromWorker } from "../../../core/serve/from_worker.ts";
import { RosterBroker } from "../../../core/serve/roster_query.ts";
import { HookPrograms } from "../../../core/serve/hooks/hook_programs.ts";
import { Supervisor } from "../../../core/serve/supervisor.ts";
import { Scripts, unix } from "./_hook.ts";
import { groundOf } from "./_ground.ts";

const facts = {
  event: "check",
  account: "anna",
  path: "/home/a",
  upload: 7,
  size: 1,
  sha256: "0".repeat(64),
  modified: "2026-01-02T03:04:05.000Z",
  verified: true,
  door: "native",
  replaced: false,
  time: "2026-01-02T03:04:05.000Z",
};
const check = (more: object, id: unknown = 1) => ({
  type: "check",
  id,
  facts: { ...facts, ...more },
});
const connection = {
  ...{ account: "anna", door: "http", address: "127.0.0.1:1", since: 0 },
  ...{ verb: null, path: null, bytes: 0 },
};

const span = {
  ...{ trace: "0".repeat(32), id: "1".repeat(16), parent: null, layer: "door", name: "http put" },
  ...{ start: 1.5, end: 2, failed: false, attributes: { "barge.bytes": 5 } },
};
const spans = (...spans: unknown[]) => ({ type: "spans", spans, dropped: 0 });

/** Messages that only a forger sends. */
const forged: Record<string, unknown> = {
  "no object": "check",
  "an unknown type": { type: "run" },
  "a path on disk": check({ file: "/etc/shadow" }),
  "a field too many": { ...check({}), file: "/etc/shadow" },
  "a commit": check({ event: "commit" }),
  "an event": { type: "events-written", facts },
  "an account that leads out": check({ account: "../../etc" }),
  "an account of two parts": check({ account: "anna/b" }),
  "a path that leads out": check({ path: "/home/../../etc/shadow" }),
  "a path of no space": check({ path: "/etc/shadow" }),
  "a path with a NUL": check({ path: "/home/a\0b" }),
  "a path beyond the bound": check({ path: `/home${"/a".repeat(2000)}` }),
  "an upload that leads out": check({ upload: "../homes/anna/a" }),
  "an upload of no number": check({ upload: 1.5 }),
  "a digest of any text": check({ sha256: "$(reboot)" }),
  "a time of any text": check({ time: "now\n" }),
  "a size below zero": check({ size: -1 }),
  "a door of no name": check({ door: "x".repeat(1000) }),
  "a question without a number": check({}, "1"),
  "a failure of no kind": { type: "failed", error: { kind: "rooted", message: "" } },
  "a failure beyond the bound": { type: "failed", error: { kind: "io", message: "x".repeat(1e6) } },
  "a span of any name": spans({ ...span, name: "x".repeat(301) }),
  "a span at no time": spans({ ...span, end: Infinity }),
  "a span of no trace": spans({ ...span, trace: "0" }),
  "a span with an attribute of any name": spans({ ...span, attributes: { "service.name": "x" } }),
  "a crowd of spans": spans(...Array.from({ length: 513 }, () => span)),
  "a crowd": {
    type: "connections",
    id: 1,
    connections: Array.from({ length: 1001 }, () => connection),
  },
};

Deno.test("every field of a worker's message is checked, and bounded", () => {
  for (const [name, message] of Object.entries(forged)) {
    assert.throws(() => readFromWorker(message), { kind: "protocol" }, name);
  }
  const sparse = { type: "connections", id: 1, connections: new Array(2 ** 32 - 1) };
  assert.throws(() => readFromWorker(sparse), { kind: "protocol" });
  const sound = [
    ...[check({}), { type: "events-written" }, { type: "cancel-check", id: 1 }, {
      type: "list-connections",
      id: 1,
    }],
    ...[check({ modified: "+012345-01-02T03:04:05.000Z", door: null, path: "/public/a\nb" })],
    ...[{ type: "connections", id: 1, connections: [connection] }, { type: "listening" }, {
      type: "stopped",
    }],
    { type: "failed", error: { kind: "io", message: "why", op: undefined, path: "p" } },
    spans(span, { ...span, parent: "1".repeat(16), attributes: { "barge.path": "/home/a" } }),
  ];
  for (const message of sound) assert.deepEqual(readFromWorker(message), message);
});

/** The forged messages that a worker posts to a real supervisor: of each type, and those about files. */
const posted = new Set([
  ...["no object", "an unknown type", "a path on disk", "a path that leads out"],
  ...["an upload that leads out", "a digest of any text", "a failure of no kind"],
  ...["a span of any name", "a crowd"],
]);

Deno.test(
  { name: "a forged message runs no program, and ends its worker", ignore: !unix },
  async (t) => {
    using scripts = new Scripts();
    const data = prepareData(await Deno.makeTempDir({ prefix: "barge-forged-" }));
    Deno.mkdirSync(`${data}/homes/anna/folder`, { recursive: true });
    Deno.writeTextFileSync(`${data}/homes/anna/a`, "a");
    Deno.symlinkSync("/etc/passwd", `${data}/homes/anna/link`);
    Deno.symlinkSync("/etc", `${data}/homes/anna/etc`);
    Deno.symlinkSync("/etc/passwd", `${data}/staging/7`);
    const program = [scripts.write("program", 'cat >> "$D/told"')];
    const logged = new Set<(line: string) => void>();
    configureSync({
      sinks: { all: ({ message }) => logged.forEach((look) => look(message.join(""))) },
      loggers: [
        { category: "barge", sinks: ["all"] },
        { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
      ],
      reset: true,
    });
    /** Makes a worker post messages, and waits for lines of the log. @returns the last match */
    const outcome = async (
      messages: unknown[],
      line: RegExp,
      times = 1,
    ): Promise<string> => {
      Deno.writeTextFileSync(`${data}/public/forged`, JSON.stringify(messages));
      const hooks = new HookPrograms({ checkUpload: program, timeout: 60_000, jobs: 1 });
      const supervisor = new Supervisor({
        ground: groundOf(data),
        doors: [{ name: "native", address: { host: "127.0.0.1", port: 1 }, tls: "off" }],
        shared: false,
        module: new URL("./_forging.ts", import.meta.url),
        hooks,
      });
      const { promise, resolve } = Promise.withResolvers<string>();
      let left = times;
      const look = (said: string) => void (line.test(said) && --left === 0 && resolve(said));
      logged.add(look);
      try {
        await supervisor.start(1);
        return await promise;
      } finally {
        logged.delete(look);
        await supervisor.stop(10_000);
      }
    };
    try {
      // The supervisor reads each message with the function that the test above calls with all of them.
      for (const [name, message] of Object.entries(forged).filter(([name]) => posted.has(name))) {
        await t.step(name, async () => {
          // A sound message after a forged one is not read.
          await outcome([message, check({})], /^worker "?1"? died: read message: /);
        });
      }
      await t.step(
        "a worker that reports its failure several times has one successor",
        async () => {
          Deno.writeTextFileSync(`${data}/public/starts`, "");
          const failed = { type: "failed", error: { kind: "io", message: "why" } };
          await outcome([failed, failed, { type: "run" }], /^worker .* died: /, 2);
          assert.equal(Deno.readTextFileSync(`${data}/public/starts`), "start\n".repeat(2));
        },
      );
      await t.step("a check of a link, and of nothing", async () => {
        await outcome([check({})], /--check-upload"? is not run for .*regular file/);
        await outcome([check({ upload: 8 })], /is not run for .*nothing is staged/);
      });
      assert.ok(!scripts.has("told"));
    } finally {
      resetSync();
      await Deno.remove(data, { recursive: true });
    }
  },
);

Deno.test("a worker can't answer for another one", async () => {
  interface Fake {
    postMessage(message: { type: string; id: number }): void;
  }
  const answers: unknown[] = [];
  const broker = new RosterBroker<Fake>();
  const forger: Fake = { postMessage() {} };
  const asker: Fake = { postMessage: (message) => void answers.push(message) };
  const honest: Fake = {
    postMessage({ id }) {
      void broker.receive({ type: "connections", id, connections: [] }, forger, []); // and by the forger
      void broker.receive(
        { type: "connections", id, connections: [connection as never] },
        honest,
        [],
      );
    },
  };
  await broker.receive({ type: "list-connections", id: 5 }, asker, [asker, honest]);
  assert.deepEqual(answers, [{ type: "connections", id: 5, connections: [connection] }]);
});
