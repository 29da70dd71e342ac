/** The short form of `deno task history`. */
import { runHistory } from "../_history_run.ts";
import { hasEngines } from "../contract/store/_shared.ts";

Deno.test({
  name: "nothing acknowledged is lost while nodes are killed and engines fail",
  ignore: !hasEngines,
  async fn() {
    const lines: string[] = [];
    const seed = Date.now() % 1e9;
    try {
      await runHistory({ seconds: 20, clients: 20, seed, say: (line) => void lines.push(line) });
    } catch (error) {
      throw new Error(`seed ${seed}\n${lines.join("\n")}`, { cause: error });
    }
  },
});
