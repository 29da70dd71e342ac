/**
 * `check-file` (draft-ietf-secsh-filexfer-extensions-00, section 3): returns one digest of a file or a
 * part of it, or one for each block. For a whole file the stored digest is used.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { BargeError } from "../../error.ts";
import { borrow, giveBack } from "../../disk/buffer_pool.ts";
import { digest } from "../../session/digest.ts";
import { get } from "../../session/get.ts";
import { type PacketReader, PacketWriter, Type } from "./packet.ts";
import { begin, type Context, type SftpRequest } from "./request.ts";

const algorithms = ["sha256", "md5", "sha1", "sha384", "sha512"];
const minBlockBytes = 256;
/** The most digests that fit one answer. */
const maxBlocks = 2048;

/** The fields of a request after the file's name. */
interface Part {
  readonly algorithm: string;
  readonly start: number;
  /** The offset of its end; Infinity for the end of the file. */
  readonly end: number;
  /** The size of a block; 0 for one digest of the part. */
  readonly block: number;
}

export async function checkOpenFile({ sftp, id, packet }: SftpRequest): Promise<Uint8Array> {
  const { handle, source } = sftp.handles.readable(packet.bytes());
  const part = readPart(packet);
  const { algorithm } = part;
  const stored = handle.kind === "reading" && algorithm === "sha256" && isWhole(part)
    ? handle.file.sha256
    : null;
  const digests = stored === null
    ? await digestsOf(sftp, source, part)
    : Uint8Array.fromHex(stored);
  return answer(id, algorithm, digests);
}

export async function checkNamedFile(request: SftpRequest): Promise<Uint8Array> {
  const { sftp, id } = request;
  const path = begin(request, "digest");
  const part = readPart(request.packet);
  const { algorithm } = part;
  if (isWhole(part) && (algorithm === "sha256" || algorithm === "md5")) {
    const wanted = { verb: "digest", path, algorithm, fresh: false } as const;
    const whole = await digest(sftp.session, wanted, sftp.ended);
    return answer(id, algorithm, Uint8Array.fromHex(whole.digest));
  }
  const file = await get(sftp.session, path, 0);
  try {
    return answer(id, algorithm, await digestsOf(sftp, file, part));
  } finally {
    file.close();
  }
}

function readPart(packet: PacketReader): Part {
  const wanted = packet.text().split(",");
  const algorithm = wanted.find((name) => algorithms.includes(name));
  if (algorithm === undefined) {
    throw new BargeError("unsupported", `digests are ${algorithms.join(", ")}`);
  }
  const start = packet.long();
  const length = packet.long();
  const block = packet.int();
  if (block !== 0 && block < minBlockBytes) {
    throw new BargeError("usage", `a block has ${minBlockBytes} bytes or more`);
  }
  return { algorithm, start, end: length === 0 ? Infinity : start + length, block };
}

function isWhole({ start, end, block }: Part): boolean {
  return start === 0 && end === Infinity && block === 0;
}

async function digestsOf(
  { ended }: Context,
  source: { readAt(position: number, into: Uint8Array): Promise<number> },
  part: Part,
): Promise<Uint8Array> {
  const { algorithm, start, end, block } = part;
  const buffer = borrow();
  try {
    const digests: Buffer[] = [];
    for (let at = start; at < end;) {
      const hash = createHash(algorithm);
      const until = Math.min(end, block === 0 ? Infinity : at + block);
      const from = at;
      while (at < until) {
        ended.throwIfAborted();
        const n = await source.readAt(at, buffer.subarray(0, Math.min(buffer.length, until - at)));
        if (n === 0) break;
        hash.update(buffer.subarray(0, n));
        at += n;
      }
      if (at === from && digests.length > 0) break;
      if (digests.length >= maxBlocks) {
        throw new BargeError("refused", `more than ${maxBlocks} blocks`, {
          hint: "request larger blocks",
        });
      }
      digests.push(hash.digest());
      if (at < until) break;
    }
    return Buffer.concat(digests);
  } finally {
    giveBack(buffer);
  }
}

function answer(id: number, algorithm: string, digests: Uint8Array): Uint8Array {
  const packet = new PacketWriter(Type.EXTENDED_REPLY, id, 64 + digests.length);
  return packet.text("check-file").text(algorithm).raw(digests).done();
}
