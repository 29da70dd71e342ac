/**
 * The real program whose workers have a fault: `_faulty.ts FAULT=VALUE ARGUMENT...`. The program
 * itself has nothing that could ask for one, so that the class that makes workers is replaced here.
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
