/** The operator's programs on a node: each gets the bytes of the upload in a temporary file. */
import assert from "node:assert/strict";
import { hasEngines } from "../../contract/store/_shared.ts";
import { twoNodes } from "../../contract/_cluster.ts";
import { until } from "../../_observe.ts";
import { eager, pattern, Peer, sha256 } from "../door/_peer.ts";
import { Scripts, unix } from "./_hook.ts";

Deno.test({
  name: "both hooks get the bytes on shared storage, small and large, and leave no file behind",
  ignore: !hasEngines || !unix,
  async fn() {
    using scripts = new Scripts();
    // The path of the bytes is the value of "file", the sixteenth part between quotes.
    const note = scripts.write(
      "note",
      'F=$(cut -d\\" -f16); sha256sum < "$F" >> "$D/$1"; ls -l "$F" >> "$D/$1.mode"; ' +
        'echo "$F" >> "$D/files"; if [ "$1" = check ] && grep -q refused "$F"; then exit 1; fi',
    );
    const hooks = ["--check-upload", `${note} check`, "--on-commit", `${note} commit`];
    await using server = await twoNodes.start(hooks);
    await server.addUser("anna");
    using peer = await Peer.open(server.address, await server.issueToken("anna"));
    const small = new TextEncoder().encode("small");
    const large = pattern(700_000);
    await peer.ask(eager("/home/small", small));
    await peer.ask({ verb: "put", path: "/home/large", size: large.length });
    await peer.ask({ offset: 0, body: large.length }, large, { sha256: sha256(large) });
    await peer.send(eager("/home/bad", new TextEncoder().encode("refused")));
    assert.equal((await peer.answer()).ok, false);
    const expected = [small, large].map((bytes) => `${sha256(bytes)}  -\n`).sort();
    const lines = (name: string) => scripts.read(name).match(/.*\n/g)!.sort();
    await until(() => scripts.has("commit") && lines("commit").length === 2);
    assert.deepEqual(lines("commit"), expected);
    assert.equal(lines("check").length, 3);
    for (const line of lines("check.mode")) assert.match(line, /^-rw-------/);
    for (const path of lines("files")) {
      await until(async () => !await Deno.stat(path.trim()).then(() => true, () => false));
    }
  },
});
