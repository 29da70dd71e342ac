/** A file that was changed outside of the server has no digest: the answer says so, and why. */
import assert from "node:assert/strict";
import { get } from "../../../core/session/get.ts";
import { Setup, write } from "../_setup.ts";
import { Here } from "./_here.ts";
import { eager, Peer, sha256, text } from "./_peer.ts";

Deno.test("get and get-many say why there is no digest, and send one of what they sent", async () => {
  await using here = await Here.start({});
  using peer = await Peer.open(here.address, here.token);
  for (const name of ["whole", "changed"]) await peer.ask(eager(`/home/${name}`, text(name)));
  const home = `${here.store.settings.data}/homes/anna`;
  Deno.writeTextFileSync(`${home}/changed`, "other!!");
  // As many bytes as before: only the time tells, which may be of the same millisecond.
  Deno.utimeSync(`${home}/changed`, 1_700_000_000, 1_700_000_000);
  Deno.writeTextFileSync(`${home}/added`, "added");
  const due: Record<string, [content: string, undigested: string | undefined]> = {
    whole: ["whole", undefined],
    changed: ["other!!", "changed"],
    added: ["added", "added"],
  };
  for (const [name, [content, undigested]] of Object.entries(due)) {
    for (const offset of [0, 3]) {
      const answer = await peer.ask({ verb: "get", path: `/home/${name}`, offset });
      const digest = sha256(text(content));
      assert.equal(answer.sha256, undigested ? null : digest, name);
      assert.equal(answer.undigested, undigested, name);
      assert.deepEqual(await peer.body(), text(content.slice(offset)));
      assert.equal((await peer.answer()).sha256, digest, "of the whole file");
    }
    const { entry } = await peer.ask({ verb: "stat", path: `/home/${name}` }) as {
      entry: { sha256: string | null };
    };
    assert.equal(entry.sha256, undigested ? null : sha256(text(content)));
  }
  const { files, body } = await peer.ask({
    verb: "get-many",
    paths: Object.keys(due).map((name) => `/home/${name}`),
  }) as { files: Record<string, unknown>[]; body: number };
  assert.equal(body, 17);
  assert.deepEqual(
    files.map(({ sha256, undigested }) => [sha256, undigested]),
    Object.values(due).map(([content, undigested]) => [sha256(text(content)), undigested]),
  );
  assert.deepEqual(await peer.body(), text("wholeother!!added"));
  await peer.answer();
});

Deno.test("a file that another isolate commits at this moment is not taken for a changed one", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "old");
  using other = setup.open();
  const { sha256: digest } = await write(setup.login("anna", other), "/home/a", "new");
  const { ledger } = setup.store;
  // As it is between the rename and the ledger's commit: the first look finds the row of before.
  const known = ledger.file.bind(ledger);
  let looks = 0;
  ledger.file = (...args) => looks++ === 0 ? undefined : known(...args);
  const file = await get(anna, "/home/a", 0);
  assert.deepEqual([file.sha256, file.undigested], [digest, null]);
  file.close();
});
