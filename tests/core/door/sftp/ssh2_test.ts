import assert from "node:assert/strict";
import { Open } from "../../../../core/door/sftp/packet.ts";
import { SftpHere } from "./_here.ts";

Deno.test("ssh2 loads no native code", () => {
  const lock = Deno.readTextFileSync(new URL("../../../../deno.lock", import.meta.url));
  const names = Object.keys(JSON.parse(lock).npm).map((name) => name.replace(/@[^@]*$/, ""));
  for (const native of ["cpu-features", "nan", "buildcheck"]) assert(!names.includes(native));
});

// The sanitizer finds what is left of each cipher: with ChaCha20 there are five a packet.
Deno.test("a connection leaves no ciphers behind", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  const file = await peer.open("f", Open.WRITE | Open.CREAT);
  for (let n = 0; n < 50; n++) await peer.write(file, n * 1000, new Uint8Array(1000));
  await peer.close(file);
});
