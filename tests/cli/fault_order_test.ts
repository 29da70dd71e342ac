/**
 * What a commit asks of the system, and in which order, as strace sees it: that is all that a
 * process can do against a power cut.
 */
import assert from "node:assert/strict";
import { encodeChunkHead } from "../../core/protocol/frame.ts";
import { startServer } from "../_server.ts";
import { eager, pattern, Peer, sha256 } from "../core/door/_peer.ts";

const calls = ["write", "writev", "pwrite64", "pwritev", "sendto", "sendmsg", "rename", "renameat"]
  .concat("renameat2", "fsync", "fdatasync");
const strace = ["strace", "-D", "-f", "-qq", "-yy", "--seccomp-bpf", `--trace=${calls}`];

const possible = await (async () => {
  try {
    const [command, ...args] = [...strace, "-o", "/dev/null", Deno.execPath(), "--version"];
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output())
      .success;
  } catch {
    return false;
  }
})();

/** What matters of a trace, repetitions left out: a call counts when it ends, an answer when it begins. */
function steps(trace: string): string[] {
  const begun = new Map<string, string>();
  const found: string[] = [];
  for (const [, thread, line] of trace.matchAll(/^(\d+) +(.*)$/gm)) {
    const resumed = line.startsWith("<... ");
    const unfinished = line.endsWith("<unfinished ...>");
    if (unfinished) begun.set(thread, line);
    const call = resumed ? begun.get(thread) ?? "" : line;
    const step = stepOf(call);
    if (!step || (step === "answer" ? resumed : unfinished)) continue;
    if (step === "answer" || step !== found.at(-1)) found.push(step);
  }
  return found;
}

function stepOf(call: string): string | undefined {
  const name = /^\w+/.exec(call)?.[0] ?? "";
  if (name.startsWith("rename")) return call.includes("/staging/") ? "rename" : undefined;
  const target = /^\w+\(\d+<([^>]*(?:->[^>]*)?)>/.exec(call)?.[1] ?? "";
  const does = /sync/.test(name) ? "sync" : "write";
  if (target.startsWith("TCP")) return "answer";
  if (/\/staging\/\d+$/.test(target)) return `${does} staged`;
  if (target.endsWith("/accounts.db-wal")) return `${does} ledger`;
  if (/\/homes\/anna\/d$/.test(target)) return `${does} folder`;
  return undefined;
}

const small = [
  ...["write ledger", "sync ledger"], // reserved, and sealed
  ...["write staged", "sync staged"],
  ...["rename", "sync folder"],
  ...["write ledger", "sync ledger"],
  "answer",
];

const inOrder = [
  ...small,
  ...["write ledger", "sync ledger"],
  "answer", // go on
  ...["write staged", "sync staged"],
  ...["write ledger", "sync ledger"], // sealed
  ...["rename", "sync folder"],
  ...["write ledger", "sync ledger"],
  "answer",
  ...small, // over another file
];

for (const durability of ["full", "relaxed"]) {
  const name = durability === "full"
    ? "a commit is written, synced, renamed, synced and in the ledger before it is answered"
    : "--durability relaxed does the same in the same order, without the syncs";
  Deno.test({
    name: possible ? name : `${name} (skipped: strace can't be run here)`,
    ignore: !possible,
    async fn() {
      const file = Deno.makeTempFileSync({ prefix: "barge-trace-" });
      try {
        {
          await using server = await startServer({
            args: ["--workers", "1", "--durability", durability],
            under: [...strace, "-o", file],
          });
          await server.addUser("anna");
          const token = await server.issueToken("anna");
          using peer = await Peer.open(server.address, token);
          await peer.ask({ verb: "mkdir", path: "/home/d" });
          await peer.ask(eager("/home/d/small", pattern(5000)));
          const large = pattern(300_000);
          await peer.ask({ verb: "put", path: "/home/d/large", size: large.length });
          const trailer = { sha256: sha256(large) };
          await peer.ask({ offset: 0, body: large.length }, large, trailer);
          await peer.ask(eager("/home/d/small", pattern(5001)));
          await server.kill("SIGKILL");
        }
        const seen = steps(Deno.readTextFileSync(file));
        const wanted = inOrder
          .filter((step) => durability === "full" || !step.startsWith("sync"));
        assert.deepEqual(seen.slice(-wanted.length), wanted);
      } finally {
        Deno.removeSync(file);
      }
    },
  });
}

const unsized =
  "an upload of unknown size syncs the ledger to begin and to end, not while it grows";
Deno.test({
  name: possible ? unsized : `${unsized} (skipped: strace can't be run here)`,
  ignore: !possible,
  async fn() {
    const file = Deno.makeTempFileSync({ prefix: "barge-trace-" });
    try {
      {
        await using server = await startServer({
          args: ["--workers", "1"],
          under: [...strace, "-o", file],
        });
        await server.addUser("anna");
        const token = await server.issueToken("anna");
        using peer = await Peer.open(server.address, token);
        await peer.ask({ verb: "mkdir", path: "/home/d" });
        const bytes = pattern(40 * 1024 * 1024); // grows five times
        await peer.ask({ verb: "put", path: "/home/d/f", size: null });
        await peer.send({ offset: 0, body: "chunked" });
        const piece = 1024 * 1024;
        for (let at = 0; at < bytes.length; at += piece) {
          await peer.send(encodeChunkHead(piece), bytes.subarray(at, at + piece));
        }
        await peer.ask(encodeChunkHead(0), { sha256: sha256(bytes) });
        await server.kill("SIGKILL");
      }
      const seen = steps(Deno.readTextFileSync(file));
      const since = seen.lastIndexOf("answer", seen.indexOf("write staged"));
      const syncs = seen.slice(since).filter((step) => step === "sync ledger");
      assert.deepEqual(syncs.length, 2, seen.slice(since).join(", ")); // sealed, settled
    } finally {
      Deno.removeSync(file);
    }
  },
});
