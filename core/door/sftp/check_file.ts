/**
 * `check-file` (draft-ietf-secsh-filexfer-extensions-00, section 3): returns one digest of a file or a
 * part of it, or one for each block. For a whole file the stored digest is used.
 */
import { createHash } from "node:crypto";
import { BargeError } from "../../error.ts";
import { borrow, giveBack } from "../../disk/pool.ts";
import { digest } from "../../session/digest.ts";
import { get } from "../../session/get.ts";
import { type PacketReader, PacketWriter, Type } from "./packet.ts";
import { begin, type RequestFacts } from "./request.ts";
import type { Context } from "./context.ts";
import { badHandle } from "./status.ts";

const algorithms = ["sha256", "md5", "sha1", "sha384", "sha512"];
/** The minimum size of a block, from the draft. */
const minBlockBytes = 256;
/** The most digests that fit one answer. */
const maxBlocks = 2048;

/** The request behind the name of the file. */
interface Part {
  readonly algorithm: string;
  readonly start: number;
  /** The offset of its end; Infinity for the end of the file. */
  readonly end: number;
  /** The size of a block; 0 for one digest of the part. */
  readonly block: number;
}

interface Source {
  readAt(position: number, into: Uint8Array): Promise<number>;
}

export const checkFile = {
  async ofHandle(s: Context, id: number, packet: PacketReader): Promise<Uint8Array> {
    const handle = s.handles.get(packet.bytes(), "reading", "writing");
    const part = readPart(packet);
    if (handle.kind === "writing" && !handle.reads) throw badHandle();
    const source = handle.kind === "reading" ? handle.file : handle.upload;
    const { algorithm } = part;
    const stored = handle.kind === "reading" ? handle.file.sha256 : null;
    const known = stored !== null && algorithm === "sha256" && isWhole(part);
    return answer(id, algorithm, known ? hex(stored) : await digestsOf(s, source, part));
  },

  async ofName(
    s: Context,
    id: number,
    packet: PacketReader,
    facts: RequestFacts,
  ): Promise<Uint8Array> {
    const path = begin(s, facts, packet, "digest");
    const part = readPart(packet);
    const { algorithm } = part;
    if (isWhole(part) && (algorithm === "sha256" || algorithm === "md5")) {
      const request = { verb: "digest", path, algorithm, fresh: false } as const;
      return answer(id, algorithm, hex((await digest(s.session, request, s.ended)).digest));
    }
    const file = await get(s.session, path, 0);
    try {
      return answer(id, algorithm, await digestsOf(s, file, part));
    } finally {
      file.close();
    }
  },
};

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

async function digestsOf(s: Context, source: Source, part: Part): Promise<Uint8Array> {
  const { algorithm, start, end, block } = part;
  const buffer = borrow();
  try {
    const digests: Uint8Array[] = [];
    for (let at = start; at < end;) {
      const hash = createHash(algorithm);
      const until = Math.min(end, block === 0 ? Infinity : at + block);
      const from = at;
      while (at < until) {
        s.ended.throwIfAborted();
        const n = await source.readAt(at, buffer.subarray(0, Math.min(buffer.length, until - at)));
        if (n === 0) break;
        hash.update(buffer.subarray(0, n));
        at += n;
      }
      if (at === from && digests.length > 0) break;
      if (digests.length >= maxBlocks) {
        throw new BargeError("refused", `more than ${maxBlocks} blocks`, {
          hint: "ask for larger ones",
        });
      }
      digests.push(hash.digest());
      if (at < until) break;
    }
    return concat(digests);
  } finally {
    giveBack(buffer);
  }
}

function concat(digests: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(digests.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const digest of digests) {
    all.set(digest, at);
    at += digest.length;
  }
  return all;
}

function answer(id: number, algorithm: string, digests: Uint8Array): Uint8Array {
  const packet = new PacketWriter(Type.EXTENDED_REPLY, id, 64 + digests.length);
  return packet.text("check-file").text(algorithm).raw(digests).done();
}

function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text);
}
