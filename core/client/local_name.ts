/**
 * Checks names that a server lists before they become local names. A malicious server, or a name
 * that is special on another system, must not cause a write outside the target.
 */
import { BargeError } from "../error.ts";

/** Names of devices in every folder of Windows, with any extension. */
const devices = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?$/i;

/**
 * Returns why a path below a folder can't be a local path; undefined if it can.
 *
 * @param windows whether the rules of Windows apply
 */
export function localFault(
  path: string,
  windows = Deno.build.os === "windows",
): string | undefined {
  for (const part of path.split("/")) {
    if (part === "" || part === "." || part === "..") return "it could lead out of the folder";
    if (part.includes("\0")) return "no name can hold a NUL";
    if (!windows) continue;
    // deno-lint-ignore no-control-regex
    if (/[\\:*?"<>|\x00-\x1f]/.test(part)) return 'Windows has no names with \\ : * ? " < > |';
    if (/[. ]$/.test(part)) return "Windows drops a dot or space at a name's end";
    if (devices.test(part)) return "it is a device on Windows";
  }
  return undefined;
}

/** @throws {BargeError} `refused` for a path that {@link localFault} objects to */
export function checkLocal(path: string): void {
  const fault = localFault(path);
  if (fault === undefined) return;
  throw new BargeError("refused", `it can't have that name here: ${fault}`, {
    hint: "get it alone, under another name",
  });
}
