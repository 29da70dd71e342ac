/**
 * The real program with faulty workers: `_faulty.ts FAULT=VALUE ARGUMENT...`. The program has no option
 * for a fault, so the class that makes workers is replaced here.
 */
import { run } from "../../../main.ts";

const [fault, ...args] = Deno.args;
const armed = new URL(`./_armed.ts?${fault}`, import.meta.url);

globalThis.Worker = class extends Worker {
  constructor(_: string | URL, options?: WorkerOptions) {
    super(armed, options);
  }
};

await run(args);
