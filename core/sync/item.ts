/**
 * Queue items as bytes for shared memory: a tag, and content whose form the tag determines.
 *
 *     0  anything else, by the structured clone algorithm (V8's format)
 *     1  a number, eight bytes in this machine's order
 *     2  a string, UTF-8
 *     3  a Uint8Array, its bytes
 *     4  undefined      5  null      6  true      7  false
 *
 * The tags from 1 on are for frequent types, and take a twentieth of the time.
 */
import { DefaultSerializer, deserialize } from "node:v8";

const cloned = 0;
const number = 1;
const string = 2;
const bytesTag = 3;
const constants = [undefined, null, true, false];
const firstConstant = 4;

const utf8 = new TextEncoder();
const text = new TextDecoder("utf-8", { ignoreBOM: true });
const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/**
 * Returns an item as bytes.
 *
 * @throws DOMException (DataCloneError) for values that can't be cloned: functions, symbols, and
 *   shared memory, which only postMessage can send
 */
export function encode(item: unknown): Uint8Array {
  if (typeof item === "number") {
    float[0] = item;
    return tagged(number, floatBytes);
  }
  if (typeof item === "string" && item.isWellFormed()) return tagged(string, utf8.encode(item));
  if (isBytes(item)) return tagged(bytesTag, item);
  const constant = constants.indexOf(item as boolean);
  if (constant >= 0) return Uint8Array.of(firstConstant + constant);
  return tagged(cloned, clone(item));
}

/** Returns the item that {@link encode} encoded. */
export function decode(bytes: Uint8Array): unknown {
  const [tag] = bytes;
  if (tag === number) {
    floatBytes.set(bytes.subarray(1));
    return float[0];
  }
  if (tag === string) return text.decode(bytes.subarray(1));
  if (tag === bytesTag) return bytes.slice(1);
  if (tag === cloned) return deserialize(bytes.subarray(1));
  return constants[tag! - firstConstant];
}

/** Returns whether an item is a Uint8Array, of no derived class, on memory that is not shared. */
function isBytes(item: unknown): item is Uint8Array {
  if (!(item instanceof Uint8Array) || item.buffer instanceof SharedArrayBuffer) return false;
  return Object.getPrototypeOf(item) === Uint8Array.prototype;
}

function tagged(tag: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + data.length);
  bytes[0] = tag;
  bytes.set(data, 1);
  return bytes;
}

function clone(item: unknown): Uint8Array {
  const serializer = new Unshared();
  serializer.writeHeader();
  try {
    serializer.writeValue(item);
  } catch (error) {
    if (error instanceof DOMException) throw error;
    throw new DOMException(
      error instanceof Error ? error.message : String(error),
      "DataCloneError",
    );
  }
  return serializer.releaseBuffer();
}

/** Refuses shared memory; V8's own serializer would copy the bytes of a view. */
class Unshared extends DefaultSerializer {
  _writeHostObject(view: ArrayBufferView): void {
    if (view.buffer instanceof SharedArrayBuffer) refuseShared();
    // @ts-ignore: the method is documented, but has no type
    super._writeHostObject(view);
  }

  _getSharedArrayBufferId(): never {
    return refuseShared();
  }
}

function refuseShared(): never {
  throw new DOMException("shared memory can't go through a queue", "DataCloneError");
}
