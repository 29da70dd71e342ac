/** The numbers that protocols without a word for "no limit" show to an account without a quota. */
import assert from "node:assert/strict";
import { Client } from "./ftp/_client.ts";
import { Here } from "./ftp/_here.ts";
import { SftpHere } from "./sftp/_here.ts";

Deno.test("FTP's AVBL shows an account without a quota the largest number of 64 bits", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  assert.equal(await client.ask("AVBL", 213), "213 9223372036854775807");
});

Deno.test("SFTP's statvfs shows an account without a quota 1 PiB and 2^32 entries", async () => {
  await using here = await SftpHere.start();
  await using peer = await here.peer();
  const { reader } = await peer.extended("statvfs@openssh.com", (p) => p.text("/home"));
  const [, unit, size, free, available, inodes, freeInodes] = Array.from(
    { length: 7 },
    () => reader.long(),
  );
  assert.deepEqual([unit, size, free, available], [1, 2 ** 50, 2 ** 50, 2 ** 50]);
  assert.deepEqual([inodes, freeInodes], [2 ** 32, 2 ** 32]);
});
