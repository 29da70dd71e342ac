/** RETR: sends a file, from an offset on. */
import { counted } from "../../counted.ts";
import { minBufferBytes } from "../../disk/buffer_pool.ts";
import { get } from "../../session/get.ts";
import type { FileContent } from "../../storage/content.ts";
import type { Access } from "../access.ts";
import { type Brake, brakeOf } from "../brake.ts";
import { ToWire } from "./ascii.ts";
import type { Request, Row, UserConnection } from "./row.ts";
import type { Data } from "./data_port.ts";
import { Failed, type Reply, reply } from "./reply.ts";
import { overData, restFailure, send } from "./transfer.ts";

export const retrieveRows: Record<string, Row> = {
  RETR: {
    path: true,
    logVerb: "get",
    slow: true,
    help: ["PATH", "send a file, from the offset of REST"],
    run: retrieve,
  },
};

async function retrieve(c: UserConnection, request: Request): Promise<Reply> {
  const { argument, path, access } = request;
  const { restart, ascii } = c.state;
  c.state.restart = 0;
  if (restart > 0 && ascii) throw new Failed(501, "usage", "No restart in type A");
  const file = await get(c.session, path, restart).catch((error) => {
    throw restart === 0 ? error : restFailure(error, path);
  });
  const brake = brakeOf(c.store.rates.down, c.session.id, c.ended.signal);
  const pieces = piecesOf(file, brake);
  try {
    // If the first piece can't be read, the reply is the failure, and no transfer begins.
    const first = await pieces.next();
    const left = file.size - restart;
    // Some clients parse "(N bytes)" here, also for one byte.
    const about = `Opening data connection for ${argument} (${left} bytes)`;
    await overData(c, about, async (data) => {
      const lines = ascii ? new ToWire() : undefined;
      if (!first.done) await sendPiece(first.value, data, lines, brake, access);
      for await (const piece of pieces) await sendPiece(piece, data, lines, brake, access);
      await data.stream.end();
    });
    return reply(226, `Transfer complete: ${counted(left, "byte")}`);
  } finally {
    await pieces.return();
    file.close();
  }
}

async function* piecesOf(
  file: FileContent,
  brake: Brake | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  if (brake || file.size - file.offset > minBufferBytes) {
    return yield* file.pieces(undefined, brake?.piece);
  }
  if (file.size > file.offset) yield await file.rest();
}

async function sendPiece(
  bytes: Uint8Array,
  data: Data,
  lines: ToWire | undefined,
  brake: Brake | undefined,
  access: Access,
): Promise<void> {
  await brake?.hold(bytes.length);
  await send(data, lines ? lines.convert(bytes) : bytes);
  access.bytes += bytes.length;
}
