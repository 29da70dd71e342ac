/**
 * The real program with faulty workers: `_faulty.ts FAULT=VALUE ARGUMENT...`. The program has no option
 * for a fault, so the class that makes workers is replaced here. `kill-supervisor-at=POINT` kills the program
 * when its main isolate reaches a point.
 */
import { arm } from "../../../core/storage/fault.ts";
import { run } from "../../../main.ts";

const [fault, ...args] = Deno.args;
const killAt = new URLSearchParams(fault).get("kill-supervisor-at");
if (killAt) {
  arm((point) => {
    if (point === killAt) Deno.kill(Deno.pid, "SIGKILL");
  });
}
const armed = new URL(`./_armed.ts?${fault}`, import.meta.url);

globalThis.Worker = class extends Worker {
  constructor(_: string | URL, options?: WorkerOptions) {
    super(armed, options);
  }
};

await run(args);
