/**
 * Names in lines. A line of FTP can hold every character but CR, LF and NUL (RFC 3659, section 2.2),
 * and other doors make names that have the first two. Such a name is written with the sign for the
 * character (U+240D, U+240A) in its place, and a path with these signs is read back: where nothing
 * has that very name, the file or folder that is listed so is meant.
 */

const signs: Readonly<Record<string, string>> = { "\0": "␀", "\n": "␊", "\r": "␍" };
const characters: Readonly<Record<string, string>> = { "␊": "\n", "␍": "\r" };
/** A name with more signs than this is read as it is, or with all of them read back. */
const maxSigns = 8;

/**
 * Makes a text fit to stand in a line: all of it as it is, but for what would end the line.
 *
 * @example
 * ```ts
 * import { inLine } from "./name.ts";
 * if (inLine("a\tb\r\n550 c") !== "a\tb␍␊550 c") throw new Error();
 * ```
 */
export function inLine(text: string): string {
  return text.toWellFormed().replace(/[\0\n\r]/g, (character) => signs[character]);
}

/**
 * Finds the path that a client means by one that {@link inLine} may have written.
 *
 * @param path absolute
 * @param isThere does a file, folder or partial upload have that path?
 * @returns the path as it is, unless it has signs and something has the name that they stand for
 *
 * @example
 * ```ts
 * import { meant } from "./name.ts";
 * const isThere = (path: string) => path === "/home/a\nb";
 * if (meant("/home/a␊b", isThere) !== "/home/a\nb") throw new Error();
 * if (meant("/home/c␊d", isThere) !== "/home/c␊d") throw new Error();
 * ```
 */
export function meant(path: string, isThere: (path: string) => boolean): string {
  if (!/[␊␍]/.test(path)) return path;
  let found = "";
  for (const part of path.slice(1).split("/")) {
    let name = part;
    for (const reading of readings(part)) {
      if (!isThere(`${found}/${reading}`)) continue;
      name = reading;
      break;
    }
    found = `${found}/${name}`;
  }
  return found;
}

/** The names that {@link inLine} writes so: first the one that is the same. */
function* readings(part: string): Generator<string, void, void> {
  const pieces = part.split(/([␊␍])/);
  const count = (pieces.length - 1) / 2;
  if (count === 0) return;
  yield part;
  const all = 2 ** count - 1;
  for (let read = all; read > (count > maxSigns ? all - 1 : 0); read--) {
    yield pieces.map((piece, i) =>
      i % 2 === 1 && readsBack(read, i >> 1) ? characters[piece] : piece
    )
      .join("");
  }
}

function readsBack(read: number, sign: number): boolean {
  return Math.floor(read / 2 ** sign) % 2 === 1;
}
