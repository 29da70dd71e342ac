/** The client keeps nothing of what has ended: one shell carries out its verbs many times over. */
import assert from "node:assert/strict";
import { descriptorCount, residentBytes, until } from "../_observe.ts";
import { leakRounds, longLeakTest } from "../_program.ts";
import { startServer } from "../_server.ts";
import { Home } from "./_barge.ts";

const warmUpRounds = 5;
/** Twice as many as must exceed the variation of the count of descriptors. */
const rounds = leakRounds(20);
/** The gain of the heap that is allowed in the last rounds; a leak gains more. */
const memoryNoiseBytes = 64 * 2 ** 20;

/** One round; nothing is left of it. The last two fail. */
const commands = [
  "put small",
  "put large",
  "get small again",
  "get large again",
  "ls",
  "mv small other",
  "rm other",
  "rm large",
  "get none",
  "put small /home/none/f",
].join("\n");

Deno.test("a client keeps nothing of the verbs that have ended", async () => {
  await using server = await startServer();
  await using home = new Home();
  await server.addUser("anna");
  await Deno.writeFile(`${home.path}/small`, new Uint8Array(3000));
  await Deno.writeFile(`${home.path}/large`, new Uint8Array(300_000));
  const shell = home.spawn(["shell", `anna@${server.address}`, "--keep-going", "--json"], {
    env: { BARGE_PASSWORD: await server.issueToken("anna") },
    stdin: "",
  });
  const errors = new Response(shell.stderr).text();
  const writer = shell.stdin.getWriter();
  const lines = shell.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let marks = 0;
  /** Sends rounds, and waits until the shell has carried them out. */
  const run = async (times: number) => {
    const mark = `mark${++marks}`;
    const input = `${commands}\n`.repeat(times) + `mkdir ${mark}\n`;
    const sent = writer.write(new TextEncoder().encode(input));
    while (!text.includes(mark)) {
      const { value, done } = await lines.read();
      if (done) throw new Error(`the shell ended: ${await errors}`);
      text = (text + value).slice(-1000);
    }
    await sent;
  };
  try {
    await run(warmUpRounds);
    const before = descriptorCount(shell.pid);
    await run(rounds / 2);
    const middle = residentBytes(shell.pid);
    await run(rounds / 2);
    const gained = residentBytes(shell.pid) - middle;
    // The count varies by a few, as connections come and go; a leak gains at least one a round.
    await until(() => descriptorCount(shell.pid) < before + rounds / 2);
    if (longLeakTest) {
      assert.ok(gained < memoryNoiseBytes, `${gained} bytes of memory in ${rounds / 2} rounds`);
    }
  } finally {
    await writer.close();
    while (!(await lines.read()).done);
    await shell.status;
    await errors;
  }
});
