/** The folders that every account sees, and that no account can move or remove. */
import { BargeError } from "../../core/error.ts";

/** Returns whether a path, without slashes at its end, is such a folder. */
export function isBuiltIn(path: string): boolean {
  return ["/", "/home", "/public"].includes(path);
}

/** Checks for a dry run that a path can be moved or removed. @throws {BargeError} `exists` */
export function checkChangeable(path: string): void {
  if (!isBuiltIn(path)) return;
  throw new BargeError("exists", "it is a built-in folder, which can't be changed", { path });
}
