/** The messages between the relay and its client: a head of a fixed size, bytes, and a digest. */

/** The head of a request or of an answer. */
export interface Head {
  readonly way: "up" | "down";
  readonly name: string;
  /** Bytes of the file; 0 in a request for one. */
  readonly size: number;
}

const headBytes = 256;
/** The digest has 64 characters. */
const digestBytes = 64;
/** The most bytes of a read, so that they are hashed while the processor's cache has them. */
export const readBytes = 2 ** 20;

type Bytes = Uint8Array<ArrayBuffer>;

export async function writeHead(conn: Deno.Conn, head: Head): Promise<void> {
  await writeAll(conn, new TextEncoder().encode(JSON.stringify(head).padEnd(headBytes)));
}

export async function readHead(conn: Deno.Conn): Promise<Head> {
  return JSON.parse(new TextDecoder().decode(await readAll(conn, new Uint8Array(headBytes))));
}

export async function writeDigest(conn: Deno.Conn, sha256: string): Promise<void> {
  await writeAll(conn, new TextEncoder().encode(sha256));
}

/** Compares the digest of the other end. @throws {Error} where it differs */
export async function readDigest(conn: Deno.Conn, sha256: string): Promise<void> {
  const bytes = await readAll(conn, new Uint8Array(digestBytes));
  if (new TextDecoder().decode(bytes) !== sha256) throw new Error("the digests differ");
}

export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
}

/** Fills a buffer. @param onRead called with each part @throws {Error} where the connection ends */
export async function readAll(
  conn: Deno.Conn,
  into: Bytes,
  onRead?: (part: Bytes) => void,
): Promise<Bytes> {
  for (let done = 0; done < into.length;) {
    const n = await conn.read(into.subarray(done, done + readBytes));
    if (n === null) throw new Error("the connection ended");
    onRead?.(into.subarray(done, done + n));
    done += n;
  }
  return into;
}
