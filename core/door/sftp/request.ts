/** A request as its handler sees it, and steps that handlers share. */
import { borrowWhole } from "../../disk/buffer_pool.ts";
import type { Access } from "../access.ts";
import type { Handles } from "./handle.ts";
import type { PacketReader } from "./packet.ts";
import { resolve } from "./paths.ts";
import type { Work } from "./work.ts";

/** An SFTP session as the handlers of its requests see it. */
export interface Context extends Pick<Work, "session" | "ended" | "stopping" | "access"> {
  readonly handles: Handles;
}

/** Requests of the same kind may be under way together. */
export type Overlap = "reads" | "writes";

export interface SftpRequest {
  readonly sftp: Context;
  readonly id: number;
  /** Its fields behind the id. */
  readonly packet: PacketReader;
  /** The verb and the path, for the log. */
  op: string;
  path?: string;
  /** Its record in the access log; none for requests inside a transfer. */
  access?: Access;
  /** The buffer of the pool that holds the packet or the answer, until the answer is sent. */
  borrowed?: Uint8Array<ArrayBuffer>;
}

/** Packets from this size on are kept in buffers of the pool: fresh memory costs more than a copy. */
const minBorrowedBytes = 32 * 1024;

/** Borrows a buffer for a large packet. @returns undefined for a small one, which takes fresh memory */
export function borrowLarge(bytes: number): Uint8Array<ArrayBuffer> | undefined {
  return bytes < minBorrowedBytes ? undefined : borrowWhole(bytes);
}

/** Returns the answer; undefined for the status OK. */
export type Handle = (request: SftpRequest) => Promise<Uint8Array | void> | Uint8Array | void;

export interface Handler {
  /** The verb, for logs. */
  readonly name: string;
  readonly overlaps?: Overlap;
  readonly handle: Handle;
}

/** Reads the path of a request, and begins its record. */
export function begin(request: SftpRequest, verb = request.op): string {
  request.path = resolve(request.packet.text());
  request.access = request.sftp.access(verb, request.path);
  return request.path;
}

/** Reads the two paths of a rename, and begins its record. */
export function beginRename(request: SftpRequest): [from: string, to: string] {
  const { packet, sftp } = request;
  const from = request.path = resolve(packet.text());
  const to = resolve(packet.text());
  request.access = sftp.access("move", from, to);
  return [from, to];
}
