// deno-lint-ignore-file no-console
/**
 * The client of the relay. It computes the SHA-256 of each file, and compares it with that of the relay.
 *
 *     relay_client.ts PORT up FILE NAME
 *     relay_client.ts PORT down NAME FILE
 */
import { createHash } from "node:crypto";
import {
  readAll,
  readBytes,
  readDigest,
  readHead,
  writeAll,
  writeDigest,
  writeHead,
} from "./relay_frames.ts";

async function up(conn: Deno.Conn, path: string, name: string): Promise<void> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  await writeHead(conn, { way: "up", name, size });
  const digest = createHash("sha256");
  const buffers = [new Uint8Array(readBytes), new Uint8Array(readBytes)];
  let writing: Promise<void> | undefined;
  for (let turn = 0;; turn ^= 1) {
    const n = file.readSync(buffers[turn]);
    if (n === null) break;
    const part = buffers[turn].subarray(0, n);
    await writing;
    writing = writeAll(conn, part);
    digest.update(part);
  }
  await writing;
  const sha256 = digest.digest("hex");
  await writeDigest(conn, sha256);
  await readDigest(conn, sha256);
}

async function down(conn: Deno.Conn, name: string, path: string): Promise<void> {
  await writeHead(conn, { way: "down", name, size: 0 });
  const { size } = await readHead(conn);
  using file = await Deno.open(path, { write: true, createNew: true });
  const digest = createHash("sha256");
  const buffer = new Uint8Array(readBytes);
  for (let left = size; left > 0;) {
    const part = await readAll(conn, buffer.subarray(0, left), (part) => digest.update(part));
    for (let at = 0; at < part.length;) at += file.writeSync(part.subarray(at));
    left -= part.length;
  }
  await readDigest(conn, digest.digest("hex"));
}

const [port, way, from, to] = Deno.args;
try {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  await (way === "up" ? up : down)(conn, from, to);
} catch (error) {
  console.error((error as Error).message);
  Deno.exit(1);
}
