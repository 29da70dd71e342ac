/**
 * Buffers in which packets are encrypted and gathered, so that a packet takes no fresh memory.
 *
 * A frame has the packet at `packetAt`, room for a MAC behind it, and zeros in its first `zeroBytes`. A
 * buffer that is given back keeps these zeros.
 */
import { Buffer } from "node:buffer";

/** The offset of a packet in its frame: 4 bytes before a multiple of 16, so that its body is aligned. */
export const packetAt = 60;
/** The number of zeros at the start of a frame: ChaCha20 turns them into the key of Poly1305. */
export const zeroBytes = 32;
/** The length of the longest MAC. */
const macRoom = 64;
/** The longest packet of a frame that is used again: RFC 4253, section 6.1, asks for 35,000 bytes. */
const maxPooledPacket = 36 * 1024;
const maxUnused = 8;

const unused: Buffer[] = [];

/** Returns a frame for a packet of at most `packetBytes`. */
export function takeFrame(packetBytes: number): Buffer {
  const pooled = packetBytes <= maxPooledPacket;
  const frame = pooled ? unused.pop() : undefined;
  if (frame) return frame;
  const bytes = pooled ? maxPooledPacket : packetBytes;
  const fresh = Buffer.allocUnsafeSlow(packetAt + bytes + macRoom);
  fresh.fill(0, 0, zeroBytes);
  return fresh;
}

/** Keeps a frame for the next packet; its bytes may change from now on. */
export function giveBackFrame(frame: Buffer): void {
  const pooled = frame.length === packetAt + maxPooledPacket + macRoom;
  if (pooled && unused.length < maxUnused) unused.push(frame);
}
