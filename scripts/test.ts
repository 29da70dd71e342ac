/**
 * `deno task test [PATH ...]`: makes dist/barge and runs the tests once, all or those in the files
 * and folders given. Tests that start barge start this executable, which is what people get.
 *
 * With BARGE_PROGRAM in the environment they start that executable instead, and none is made.
 */
import { compile } from "./compile.ts";
import { ROOT } from "./run.ts";

/** Test files that run at once beyond the cores: many wait for a server or a timer. */
const waitingJobs = 2;

let program = Deno.env.get("BARGE_PROGRAM");
if (!program) {
  program = `${ROOT}/dist/barge`;
  await compile(ROOT, program, { selfExtracting: false });
}
const { code } = await new Deno.Command(Deno.execPath(), {
  args: [
    "test",
    "--no-check",
    "--allow-all",
    "--parallel",
    "--sanitize-ops",
    "--sanitize-resources",
    ...(Deno.args.length > 0 ? Deno.args : [`${ROOT}/tests`]),
  ],
  env: {
    BARGE_PROGRAM: program,
    DENO_JOBS: Deno.env.get("DENO_JOBS") ?? String(navigator.hardwareConcurrency + waitingJobs),
  },
}).spawn().status;
Deno.exit(code);
