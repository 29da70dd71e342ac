// deno-lint-ignore-file no-console
/**
 * The server of the relay. It computes the SHA-256 of each file that it gets, and of its pieces, which the store
 * compares. It stores pieces of 8 MiB, four at once, and keeps their list in memory. It prints its port.
 *
 * S3_BUCKET is the URL of the bucket, S3_KEY and S3_SECRET its keys.
 */
import { createHash } from "node:crypto";
import { Bucket } from "../../core/shared/bucket/bucket.ts";
import { takeMemory } from "../../core/shared/bucket/memory.ts";
import { readAll, readDigest, readHead, writeAll, writeDigest, writeHead } from "./relay_frames.ts";

const pieceBytes = 8 * 2 ** 20;
const piecesInFlight = 4;

interface Piece {
  readonly object: string;
  readonly size: number;
}

interface RelayedFile {
  readonly size: number;
  readonly sha256: string;
  readonly pieces: readonly Piece[];
}

const env = (name: string) => Deno.env.get(name)!;
const bucket = new Bucket({
  url: env("S3_BUCKET"),
  prefix: "relay/",
  accessKey: env("S3_KEY"),
  secretKey: env("S3_SECRET"),
});
const files = new Map<string, RelayedFile>();

async function receive(conn: Deno.Conn, name: string, size: number): Promise<RelayedFile> {
  const whole = createHash("sha256");
  const pieces: Piece[] = [];
  const sending = new Set<Promise<void>>();
  for (let at = 0; at < size; at += pieceBytes) {
    while (sending.size >= piecesInFlight) await Promise.race(sending);
    const memory = takeMemory(pieceBytes)!;
    const bytes = new Uint8Array(memory.buffer, 0, Math.min(pieceBytes, size - at));
    const digest = createHash("sha256");
    await readAll(conn, bytes, (part) => {
      whole.update(part);
      digest.update(part);
    });
    const piece = { object: `${name}/${at}`, size: bytes.length };
    pieces.push(piece);
    const sent = bucket.put(piece.object, bytes, digest.digest("hex")).then(() => {
      memory[Symbol.dispose]();
      sending.delete(sent);
    });
    sending.add(sent);
  }
  await Promise.all(sending);
  const sha256 = whole.digest("hex");
  await readDigest(conn, sha256);
  return { size, sha256, pieces };
}

async function send(conn: Deno.Conn, { size, sha256, pieces }: RelayedFile): Promise<void> {
  await writeHead(conn, { way: "down", name: "", size });
  const begin = (piece: Piece) => {
    const memory = takeMemory(piece.size)!;
    const range = { start: 0, size: piece.size };
    return { memory, read: bucket.get(piece.object, range, memory) };
  };
  const ahead = pieces.slice(0, piecesInFlight).map(begin);
  for (let i = 0; i < pieces.length; i++) {
    const { memory, read } = ahead.shift()!;
    await writeAll(conn, await read);
    memory[Symbol.dispose]();
    const next = pieces[i + piecesInFlight];
    if (next) ahead.push(begin(next));
  }
  await writeDigest(conn, sha256);
}

async function serve(conn: Deno.Conn): Promise<void> {
  using _ = conn;
  const { way, name, size } = await readHead(conn);
  if (way === "down") return await send(conn, files.get(name)!);
  const file = await receive(conn, name, size);
  files.set(name, file);
  await writeDigest(conn, file.sha256);
}

using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(listener.addr.port);
for await (const conn of listener) serve(conn).catch((error) => console.error(error.message));
