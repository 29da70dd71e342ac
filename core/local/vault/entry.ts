/** A file, a folder or another entry on disk. */

/** The facts of an entry. */
export interface Found {
  readonly type: "file" | "dir" | "other";
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly ino: number;
}

/** An entry of a folder. `unnamed`: its name is not valid UTF-8 (unnamed.ts). */
export interface Listed {
  readonly name: string;
  readonly type: Found["type"] | "unnamed";
}
