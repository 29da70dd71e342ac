/** Runs: bytes of an upload that are gathered in memory until they are sent as one object. */
import { type PieceMemory, takeMemory } from "../bucket/memory.ts";

/** The size of the first run of an upload, and of all where memory is short. */
export const firstPieceBytes = 256 * 1024;

export interface Run {
  /** The position of its first byte in the upload. */
  readonly at: number;
  readonly bytes: Uint8Array;
  length: number;
  /** The memory that the run takes. Undefined: the run has the smallest size, which is not counted. */
  readonly memory: PieceMemory | undefined;
}

/** Starts a run, without bytes. @param bytes the most bytes that it is to have; fewer where memory is short */
export function startRun(at: number, bytes: number): Run {
  const memory = takeMemory(bytes);
  const room = memory ? new Uint8Array(memory.buffer, 0, bytes) : new Uint8Array(firstPieceBytes);
  return { at, bytes: room, length: 0, memory };
}
