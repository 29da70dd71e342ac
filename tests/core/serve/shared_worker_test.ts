/** A worker of a node that keeps its files elsewhere, seen from inside. */
import assert from "node:assert/strict";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";
import { startServer } from "../../_server.ts";

Deno.test({
  name: "a worker on shared storage may touch no file, and connect only to the two engines",
  ignore: !hasEngines,
  async fn() {
    using elsewhere = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using setup = await SharedSetup.make();
    await using server = await startServer({
      store: await setup.serveOptions(),
      args: ["--workers", "1"],
      fault: `probe=${(elsewhere.addr as Deno.NetAddr).port}`,
    });
    await server.said("}.\n");
    const [, json] = /^probed (.*)\.$/m.exec(server.stderr())!;
    const outcome: Record<string, string> = JSON.parse(json);
    assert(Object.keys(outcome).length > 50, json);
    const others = Object.entries(outcome).filter(([, what]) => !/^(refused|gone)$/.test(what));
    assert.deepEqual(others, []);
  },
});
