/** The receiver of docs/events.md, run as written. */
import assert from "node:assert/strict";
import { ROOT } from "../../scripts/run.ts";
import { until } from "../_observe.ts";
import { startServer } from "../_server.ts";
import { eager, Peer, text } from "../core/door/_peer.ts";
import { has } from "./_sftp.ts";

const page = await Deno.readTextFile(`${ROOT}/docs/events.md`);

Deno.test({
  name: "the receiver of docs/events.md takes genuine events, and refuses others",
  ignore: !has("python3"),
  async fn() {
    const code = /```python\n([^]*?)```/.exec(page)![1];
    const BARGE_WEBHOOK_SECRET = `whsec_${btoa("0123456789".repeat(3))}`;
    const port = freePort();
    const receiver = new Deno.Command("python3", {
      args: ["-c", code],
      env: { SECRET: BARGE_WEBHOOK_SECRET, PORT: `${port}` },
      stdout: "piped",
    }).spawn();
    let printed = "";
    const reading = (async () => {
      for await (const chunk of receiver.stdout) printed += new TextDecoder().decode(chunk);
    })();
    try {
      const url = `http://127.0.0.1:${port}/`;
      const post = (signature: string) =>
        fetch(url, {
          method: "POST",
          body: "{}",
          headers: {
            "webhook-id": "1-1",
            "webhook-timestamp": `${Math.floor(Date.now() / 1000)}`,
            "webhook-signature": signature,
          },
        });
      const answer = await until(() => post("v1,AAAA").catch(() => undefined));
      await answer.body?.cancel();
      assert.equal(answer.status, 401);
      const args = ["--webhook", url];
      await using server = await startServer({ args, env: { BARGE_WEBHOOK_SECRET } });
      await server.addUser("anna", {});
      using peer = await Peer.open(server.address, await server.issueToken("anna"));
      await peer.ask(eager("/home/plan.json", text("x")));
      await until(() => printed.includes("commit /home/plan.json\n"));
      assert.match(printed, /^account-added None\n/);
    } finally {
      receiver.kill("SIGKILL");
      await receiver.status;
      await reading;
    }
  },
});

/** Returns a port that was free a moment ago: the receiver's program takes no open socket. */
function freePort(): number {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  return listener.addr.port;
}
