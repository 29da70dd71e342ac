/** One run of a program: it ends in any case, with all its processes. */
import assert from "node:assert/strict";
import { findProgram, runProgram } from "../../../core/serve/hooks/program.ts";
import { BargeError } from "../../../core/error.ts";
import { hanging, holding, Scripts, unix } from "./_hook.ts";

const ignore = !unix;
const none = new Uint8Array();
const forever = new AbortController().signal;
const sh = (script: string, input = none, stop = forever) =>
  runProgram([findProgram("sh"), "-c", script], input, stop);

Deno.test(
  { name: "a program's output is bounded, and unread input is no error", ignore },
  async () => {
    const input = new Uint8Array(1 << 20).fill(120);
    const flood = await sh(
      "exec <&-; yes | head -c 3000000; yes | head -c 3000000 >&2; exit 3",
      input,
    );
    assert.equal(flood.code, 3);
    assert.equal(flood.stderr, "y\n".repeat(2048));
    assert.deepEqual(await sh("wc -c >&2", input), { code: 0, stderr: `${1 << 20}\n` });
    assert.deepEqual(await sh("kill -9 $$"), { code: 137, stderr: "" });
  },
);

Deno.test({ name: "a program gets no secrets in its environment", ignore }, async () => {
  Deno.env.set("BARGE_PASSWORD", "secret");
  try {
    const { stderr } = await sh('env | cut -d= -f1 | sort | tr "\\n" " " >&2');
    const allowed = /^((HOME|LANG|LC_ALL|PATH|TMPDIR|TZ|USER|PWD|OLDPWD|SHLVL|_) )+$/;
    assert.match(stderr, allowed);
  } finally {
    Deno.env.delete("BARGE_PASSWORD");
  }
});

Deno.test({ name: "processes that a program leaves running are killed", ignore }, async (t) => {
  using scripts = new Scripts();
  const hang = await hanging(scripts);
  await t.step("after its end", async () => {
    // The program ends when its child has opened the pipe.
    const run = sh(`exec 3<>"${scripts.dir}/pipe"; sleep 600 3>&3 & echo done >&2; exec 3>&-`);
    assert.equal((await run).stderr, "done\n");
    // No writer is left, so a non-blocking reader gets the end.
    const { stderr } = await sh(
      `exec 3<>"${scripts.dir}/pipe" 4<"${scripts.dir}/pipe" 3>&-; timeout 5 cat <&4`,
    );
    assert.equal(stderr, "");
  });
  await t.step("after a stop", async () => {
    const stop = new AbortController();
    const run = assert.rejects(sh(`"${hang}"; true`, none, stop.signal), /enough/);
    const released = await holding(scripts);
    stop.abort(new Error("enough"));
    await run;
    await released();
  });
  await t.step("a process with a session of its own delays nothing", async () => {
    const { code, stderr } = await sh("setsid sleep 3 & echo on >&2; sleep 0.2");
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "on\n" });
  });
});

Deno.test(
  { name: "a program that can't be started, or does not exist, is refused", ignore },
  async () => {
    using scripts = new Scripts();
    Deno.writeTextFileSync(`${scripts.dir}/broken`, "#!/no/such/shell\n", { mode: 0o755 });
    await assert.rejects(
      runProgram([`${scripts.dir}/broken`], none, forever),
      Deno.errors.NotFound,
    );
    const stop = AbortSignal.abort(new Error("before"));
    await assert.rejects(sh("true", none, stop), /before/);
    const usage = (error: unknown) => error instanceof BargeError && error.kind === "usage";
    assert.throws(() => findProgram("no-such-program"), usage);
    assert.throws(() => findProgram(scripts.dir), usage);
    assert.match(findProgram("sh"), /^\/.*\/sh$/);
  },
);
