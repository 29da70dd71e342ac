/** The options that choose files of a tree, local or remote. */

export interface FilterOptions {
  /** Patterns of names to leave out on both sides; glob.ts defines them. */
  readonly exclude?: readonly string[];
  /** Take only files that match one of these patterns, or that are in a folder which does. */
  readonly include?: readonly string[];
  /** The texts of files with rules in gitignore's form, which leave names out on both sides. */
  readonly rules?: readonly string[];
  /** False: `.bargeignore` files in the local tree are not read. */
  readonly ignoreFiles?: boolean;
  /** Take only files of at least this number of bytes. */
  readonly minSize?: number;
  /** Take only files of at most this number of bytes. */
  readonly maxSize?: number;
  /** Take only files that were modified after this time, in ms since 1970. */
  readonly newer?: number;
  /** Take only files that were modified before this time, in ms since 1970. */
  readonly older?: number;
  /** Take only these files and the contents of these folders; relative to the root of the tree. */
  readonly names?: readonly string[];
}
