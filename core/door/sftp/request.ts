/** The type of request handlers, and their shared steps. */
import type { Access } from "../access.ts";
import { type PacketReader, Status, statusPacket } from "./packet.ts";
import { resolve } from "./paths.ts";
import type { Context } from "./context.ts";

/** Requests of the same kind may be under way together. */
export type Overlap = "reads" | "writes";

/** The facts of a request for the access log and the log. */
export interface RequestFacts {
  op: string;
  path?: string;
  /** Its record in the access log; none for requests inside a transfer. */
  access?: Access;
}

export interface Handler {
  /** The verb, for logs. */
  readonly name: string;
  readonly overlaps?: Overlap;
  handle(
    s: Context,
    id: number,
    packet: PacketReader,
    facts: RequestFacts,
  ): Promise<Uint8Array> | Uint8Array;
}

export function ok(id: number): Uint8Array {
  return statusPacket(id, Status.OK);
}

/** Reads the path of a request, and begins its record. */
export function begin(
  s: Context,
  facts: RequestFacts,
  packet: PacketReader,
  verb = facts.op,
): string {
  const path = resolve(packet.text());
  facts.path = path;
  facts.access = s.access(verb, path);
  return path;
}

/** Reads the two paths of a rename, and begins its record. */
export function beginRename(
  s: Context,
  facts: RequestFacts,
  packet: PacketReader,
): [from: string, to: string] {
  const from = resolve(packet.text());
  const to = resolve(packet.text());
  facts.path = from;
  facts.access = s.access("move", from, to);
  return [from, to];
}
