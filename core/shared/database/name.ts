/**
 * Names as the database has them: bytes that sort by UTF-16 code units, as the names of all storages do.
 *
 * UTF-8 sorts by code points. That order differs only where U+E000 to U+FFFF, which begin with the bytes EE
 * and EF, meet characters beyond U+FFFF, which begin with F0 to F4. UTF-8 uses EE and EF nowhere else, and
 * never uses F5 and F6. So names have F5 in place of EE, and F6 in place of EF.
 */
import type { Place } from "../../storage/place.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const shift = 0xf5 - 0xee;

/** Returns a name in hex. */
export function encodeName(name: string): string {
  const bytes = encoder.encode(name);
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === 0xee || bytes[i] === 0xef) bytes[i] += shift;
  }
  return bytes.toHex();
}

/** @param hex as {@link encodeName} returns it */
export function decodeName(hex: string): string {
  const bytes = Uint8Array.fromHex(hex);
  for (let i = 0; i < bytes.length; i++) if (bytes[i] > 0xf4) bytes[i] -= shift;
  return decoder.decode(bytes);
}

/** Returns the path of a folder as `folder_at` takes it. */
export function encodePath(dir: string): string {
  return dir === "" ? "" : dir.split("/").map(encodeName).join("/");
}

/** Returns a place with its folder's path and its name encoded. */
export function encodePlace({ dir, name }: Place): { dir: string; name: string } {
  return { dir: encodePath(dir), name: encodeName(name) };
}

/** Returns the path that {@link encodePath} has encoded. */
export function decodePath(path: string): string {
  return path === "" ? "" : path.split("/").map(decodeName).join("/");
}
