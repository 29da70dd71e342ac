/**
 * STOR, APPE, STOU: receive a file. With TLS, close_notify proves that the file is complete.
 * Without TLS, a killed client closes its data connection just as one that has finished; its
 * control connection ends, too, which cuts the upload. Such a file is published, but marked
 * unverified, and it replaces another file only if the client is known to be alive, or has
 * announced the size. An upload that was cut is kept: SIZE returns its length, REST or APPE resumes
 * it.
 */
import { randomBytes } from "node:crypto";
import { BargeError, typed } from "../../error.ts";
import { borrow, giveBack, least } from "../../disk/pool.ts";
import type { Incoming } from "../../upload/incoming.ts";
import { receive as receiveUpload } from "../../upload/receive.ts";
import type { Base, UploadRequest } from "../../upload/request.ts";
import type { Access } from "../access.ts";
import { type Brake, brakeOf } from "../brake.ts";
import { note } from "../failure.ts";
import { FromWire } from "./ascii.ts";
import type { Row, UserConnection } from "./row.ts";
import type { Data } from "./data_port.ts";
import { isFile } from "./locate.ts";
import { proofWait } from "./patience.ts";
import { Failed, type Reply, reply } from "./reply.ts";
import { checkData, overData, receive } from "./transfer.ts";

export const storeRows: Record<string, Row> = {
  STOR: {
    argument: "needed",
    path: true,
    login: true,
    does: "put",
    slow: true,
    help: ["PATH", "receive a file, from the offset of REST"],
    run: (c, argument, access) => store(c, { argument, base: c.state.restart || "fresh" }, access),
  },
  APPE: {
    argument: "needed",
    path: true,
    login: true,
    does: "put",
    slow: true,
    help: ["PATH", "append to a file, or resume a partial upload"],
    run(c, argument, access) {
      notRestarting(c, "APPE");
      return store(c, { argument, base: "old" }, access);
    },
  },
  STOU: {
    argument: "optional",
    path: true,
    login: true,
    does: "put",
    slow: true,
    help: ["", "receive a file under a new name"],
    run(c, _, access) {
      notRestarting(c, "STOU");
      const argument = `barge-${randomBytes(6).toString("hex")}`;
      return store(c, { argument, base: "fresh", unique: true }, access);
    },
  },
};

interface Wanted {
  readonly argument: string;
  readonly base: Base;
  /** Did we choose the name? Then it is told, and no file is replaced. */
  readonly unique?: boolean;
}

async function store(c: UserConnection, wanted: Wanted, access: Access): Promise<Reply> {
  const { argument, base, unique = false } = wanted;
  const { restart, reserve, ascii } = c.state;
  c.state.restart = 0;
  c.state.reserve = undefined;
  if (restart > 0 && ascii) throw new Failed(501, "usage", "No restart in type A");
  const path = await c.path(argument);
  checkData(c);
  const upload = await begin(c, {
    path,
    size: null,
    modified: null,
    base,
    reserve,
    overwrite: unique ? "never" : "always",
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
      if (data.tls && !data.tls.proved) throw unproved();
      await data.stream.end();
      if (data.tls) return true;
      const whole = reserve !== undefined && [access.bytes, upload.offset].includes(reserve);
      const took = performance.now() - began;
      if (!whole) await c.lives(proofWait(c.patience, await isFile(c.session, path), took));
      return false;
    });
    const { size } = await upload.commit(null, verified);
    return reply(226, `Transfer complete: ${size} bytes${unique ? `, as ${argument}` : ""}`);
  } catch (error) {
    const { offset, takenOver } = upload;
    try {
      await upload.fail(typed(error));
    } catch (second) {
      note(second, c.stream.peer);
    }
    // A code on which clients do not retry.
    if (takenOver) throw new Failed(550, "unavailable", typed(error).message, { path });
    throw error instanceof Failed ? continuable(error, offset, from) : error;
  }
}

/** @throws {BargeError} as `receive`; {Failed} 554 for a REST beyond what is there */
async function begin(c: UserConnection, request: UploadRequest): Promise<Incoming> {
  try {
    return await receiveUpload(c.session, request);
  } catch (error) {
    const { base, path } = request;
    if (!(error instanceof BargeError) || error.kind !== "usage" || base === "fresh") throw error;
    throw new Failed(554, "usage", `invalid REST: ${error.message}`, { path, hint: error.hint });
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
  // Large ones once it turns out that there is much to come.
  let [one, other] = [borrow(least), borrow(least)];
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
      if (access.bytes > 4 * least && other.length === least) {
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

function notRestarting(c: UserConnection, verb: string): void {
  if (c.state.restart > 0) throw new Failed(450, "usage", `Can't ${verb} while REST is pending`);
}

function unproved(): Failed {
  return new Failed(426, "unavailable", "The data connection ended without TLS's close_notify");
}

/** @param offset how much is kept */
function continuable(failed: Failed, offset: number, from: number): Failed {
  if (failed.code !== 426 || offset === from && offset === 0) return failed;
  const { code, kind, message } = failed;
  const hint = `${offset} bytes are kept: go on with REST ${offset}, or with APPE`;
  return new Failed(code, kind, message, { hint });
}
