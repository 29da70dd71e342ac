/** The process of a server, as other commands find it, and the mode of its data directory. */
import assert from "node:assert/strict";
import { lastServer } from "../../core/serve/data.ts";
import { runningServers } from "../../core/serve/running_servers.ts";
import { onTwoNodes, startServer } from "../_server.ts";

const linux = Deno.build.os === "linux";

Deno.test(
  "a program that runs a server is not taken for the server",
  { ignore: !linux },
  async () => {
    await using server = await startServer({ under: ["timeout", "600"] });
    const { pid } = lastServer(server.data)!;
    assert.notEqual(pid, server.pid);
    const found = runningServers().filter(({ data }) => data === server.data);
    assert.deepEqual(found, [{ pid, data: server.data }]);
    assert.equal(await server.kill("SIGTERM"), 0);
  },
);

Deno.test(
  "a server that has stopped leaves no number of a process",
  { ignore: onTwoNodes },
  async () => {
    const data = await Deno.makeTempDir({ prefix: "barge-test-" });
    try {
      for (const signal of ["SIGTERM", "SIGKILL"] as const) {
        await using server = await startServer({ data, args: ["--tls"] });
        const facts = lastServer(data)!;
        assert.equal(facts.pid, server.pid);
        assert.equal(facts.certificate?.fingerprint, server.facts.fingerprint);
        await server.kill(signal);
        const pid = signal === "SIGKILL" ? server.pid : null;
        assert.deepEqual(lastServer(data), { ...facts, pid });
      }
    } finally {
      await Deno.remove(data, { recursive: true });
    }
  },
);

Deno.test(
  "serve warns of a data directory that every user can open",
  { ignore: onTwoNodes },
  async () => {
    const data = await Deno.makeTempDir({ prefix: "barge-test-" });
    try {
      for (const [mode, isOpen] of [[0o1777, true], [0o701, true], [0o750, false]] as const) {
        Deno.chmodSync(data, mode);
        await using server = await startServer({ data });
        const warning = `the mode of the data directory, ${mode.toString(8).padStart(4, "0")}, ` +
          `admits every user: run chmod 700 ${data}`;
        assert.equal(server.stderr().includes(warning), isOpen, server.stderr());
      }
    } finally {
      await Deno.remove(data, { recursive: true });
    }
  },
);
