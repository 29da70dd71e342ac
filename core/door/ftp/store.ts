/**
 * STOR, APPE, STOU: receive a file. With TLS, close_notify proves that the file is complete.
 *
 * Without TLS, the end of a data connection looks the same when the client has finished as when it was
 * killed. A killed client's control connection ends, too, which cuts the upload. A file without proof is
 * published as unverified; it replaces another file only after a wait in which the control connection
 * stayed open ({@link proofWait}), or if its size was announced. An upload that was cut becomes a partial
 * upload: SIZE returns its offset, REST or APPE resumes it.
 */
import { randomBytes } from "node:crypto";
import { counted } from "../../counted.ts";
import { typed } from "../../error.ts";
import { borrow, giveBack, minBufferBytes } from "../../disk/buffer_pool.ts";
import type { Incoming } from "../../upload/incoming.ts";
import { receive as receiveUpload } from "../../upload/receive.ts";
import type { Base } from "../../upload/request.ts";
import type { Access } from "../access.ts";
import { type Brake, brakeOf } from "../brake.ts";
import { note } from "../failure.ts";
import { FromWire } from "./ascii.ts";
import type { Request, Row, UserConnection } from "./row.ts";
import type { Data } from "./data_port.ts";
import { proofWait } from "./timeouts.ts";
import { Failed, type Reply, reply } from "./reply.ts";
import { checkData, overData, receive, restFailure } from "./transfer.ts";

const upload = { path: true, logVerb: "put", slow: true } as const;

export const storeRows: Record<string, Row> = {
  STOR: {
    ...upload,
    help: ["PATH", "receive a file, from the offset of REST"],
    run: (c, request) => store(c, request, { base: c.state.restart || "fresh" }),
  },
  APPE: {
    ...upload,
    help: ["PATH", "append to a file, or resume a partial upload"],
    run(c, request) {
      checkNoRestart(c, "APPE");
      return store(c, request, { base: "old" });
    },
  },
  STOU: {
    ...upload,
    argument: "optional",
    help: ["", "receive a file under a new name"],
    async run(c, { access }) {
      checkNoRestart(c, "STOU");
      const argument = `barge-${randomBytes(6).toString("hex")}`;
      const request = { argument, path: await c.path(argument), access };
      return await store(c, request, { base: "fresh", unique: true });
    },
  },
};

interface StoreOptions {
  readonly base: Base;
  /** True if the server chose the name: the replies contain it, and no file is replaced. */
  readonly unique?: boolean;
}

async function store(
  c: UserConnection,
  { argument, path, access }: Request,
  { base, unique = false }: StoreOptions,
): Promise<Reply> {
  const { restart, reserve, ascii } = c.state;
  c.state.restart = 0;
  c.state.reserve = undefined;
  if (restart > 0 && ascii) throw new Failed(501, "usage", "No restart in type A");
  checkData(c);
  const overwrite = unique ? "never" : "always";
  const wanted = { path, size: null, modified: null, base, reserve, overwrite } as const;
  const upload = await receiveUpload(c.session, wanted).catch((error) => {
    throw base === "fresh" ? error : restFailure(error, path);
  });
  const from = upload.offset;
  try {
    const about = unique
      ? `FILE: ${argument}`
      : `Opening data connection for ${argument}${from > 0 ? `, from ${from} on` : ""}`;
    const verified = await overData(c, about, async (data) => {
      const began = performance.now();
      const brake = brakeOf(c.store.rates.up, c.session.id, c.ended.signal);
      await receiveFile(upload, data, ascii ? new FromWire() : undefined, brake, access);
      if (data.tls && !data.tls.proved) {
        throw new Failed(
          426,
          "unavailable",
          "The data connection ended without TLS's close_notify",
        );
      }
      await data.stream.end();
      if (data.tls) return true;
      // ALLO announces the size of the whole file, or the size of the rest that a resumed upload sends.
      const whole = reserve !== undefined && [access.bytes, upload.offset].includes(reserve);
      if (!whole) {
        const durationMs = performance.now() - began;
        const { place } = c.session.locate(path);
        const existing = place && await c.session.store.tree.entry(place);
        const replaces = existing?.type === "file";
        await c.confirmAlive(proofWait(c.door.timeouts, replaces, durationMs));
      }
      return false;
    });
    const { size } = await upload.commit(null, verified);
    return reply(
      226,
      `Transfer complete: ${counted(size, "byte")}${unique ? `, as ${argument}` : ""}`,
    );
  } catch (error) {
    const { offset, takenOver } = upload;
    try {
      await upload.fail(typed(error));
    } catch (second) {
      note(second, c.stream.peer);
    }
    // A code on which clients do not retry.
    if (takenOver) throw new Failed(550, "unavailable", typed(error).message, { path });
    throw error instanceof Failed ? withOffset(error, offset) : error;
  }
}

/** Writes the body to its end; the next piece is read while the last one is written. */
async function receiveFile(
  upload: Incoming,
  data: Data,
  lines: FromWire | undefined,
  brake: Brake | undefined,
  access: Access,
): Promise<void> {
  let [one, other] = [borrow(minBufferBytes), borrow(minBufferBytes)];
  let failed: unknown;
  let writing = Promise.resolve();
  const write = (bytes: Uint8Array) => {
    writing = upload.write(bytes).catch((error) => {
      failed = error;
      data.stream.close();
    });
  };
  try {
    while (true) {
      const n = await receive(data, brake ? one.subarray(0, brake.piece) : one);
      await writing;
      if (n === null || failed !== undefined) break;
      access.bytes += n;
      // A long transfer gets large buffers.
      if (access.bytes > 4 * minBufferBytes && other.length === minBufferBytes) {
        giveBack(other);
        other = borrow();
      }
      const bytes = one.subarray(0, n);
      write(lines ? lines.convert(bytes) : bytes);
      [one, other] = [other, one];
      await brake?.hold(n);
    }
    if (lines && failed === undefined) write(lines.rest());
  } catch (error) {
    failed ??= error;
  } finally {
    await writing;
    giveBack(one);
    giveBack(other);
  }
  if (failed !== undefined) throw failed;
}

function checkNoRestart(c: UserConnection, verb: string): void {
  if (c.state.restart > 0) throw new Failed(450, "usage", `Can't ${verb} while REST is pending`);
}

/** Adds the offset of the partial upload to a failure of the connection. */
function withOffset(failed: Failed, offset: number): Failed {
  if (failed.code !== 426 || offset === 0) return failed;
  const hint = `${
    counted(offset, "byte is", "bytes are")
  } kept: go on with REST ${offset}, or with APPE`;
  return new Failed(failed.code, failed.kind, failed.message, { hint });
}
