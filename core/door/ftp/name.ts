/**
 * Writes names into lines of FTP and reads them back. A line can hold every character but CR, LF and NUL
 * (RFC 3659, section 2.2), and other doors create names with CR and LF. In such a name the sign for the
 * character (U+240D, U+240A) replaces it. A path with these signs is first taken literally. If no entry has
 * that path, the signs are taken for the characters that they replace.
 */

const signs: Readonly<Record<string, string>> = { "\0": "␀", "\n": "␊", "\r": "␍" };
const characters: Readonly<Record<string, string>> = { "␊": "\n", "␍": "\r" };
/**
 * The most signs of a name for which all combinations of signs and characters are tried. A name with more
 * signs is tried unchanged, and with all signs replaced.
 */
const maxSigns = 8;

/**
 * Replaces the characters of a text that would end a line.
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
 * Returns the path that a client means by a path in which {@link inLine} may have replaced characters.
 *
 * @param path absolute
 * @param pathExists returns whether a file, folder or partial upload has that path
 * @returns the same path, unless it has signs and an entry with the replaced characters exists
 *
 * @example
 * ```ts
 * import { intendedPath } from "./name.ts";
 * const pathExists = (path: string) => Promise.resolve(path === "/home/a\nb");
 * if (await intendedPath("/home/a␊b", pathExists) !== "/home/a\nb") throw new Error();
 * if (await intendedPath("/home/c␊d", pathExists) !== "/home/c␊d") throw new Error();
 * ```
 */
export async function intendedPath(
  path: string,
  pathExists: (path: string) => Promise<boolean>,
): Promise<string> {
  if (!/[␊␍]/.test(path)) return path;
  let found = "";
  for (const part of path.slice(1).split("/")) {
    let name = part;
    for (const reading of readings(part)) {
      if (!await pathExists(`${found}/${reading}`)) continue;
      name = reading;
      break;
    }
    found = `${found}/${name}`;
  }
  return found;
}

/** Returns the names that {@link inLine} writes as this text; the text itself comes first. */
function* readings(part: string): Generator<string, void, void> {
  const pieces = part.split(/([␊␍])/);
  const count = (pieces.length - 1) / 2;
  if (count === 0) return;
  yield part;
  const all = 2 ** count - 1;
  for (let read = all; read > (count > maxSigns ? all - 1 : 0); read--) {
    const isRead = (sign: number) => Math.floor(read / 2 ** sign) % 2 === 1;
    yield pieces.map((piece, i) => i % 2 === 1 && isRead(i >> 1) ? characters[piece] : piece).join(
      "",
    );
  }
}
