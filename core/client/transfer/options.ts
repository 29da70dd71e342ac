/** What a transfer may be told, the same for put and get. */
import type { TransferEvent } from "./events.ts";

export interface TransferOptions {
  /** Take folders with all that is in them. */
  readonly recursive?: boolean;
  /** Leave files alone that have the same size and time on both sides. */
  readonly update?: boolean;
  /** With `update`: compare by SHA-256, not by time. */
  readonly checksum?: boolean;
  /** False: large files are not hashed on this side; the connection is trusted. */
  readonly verify?: boolean;
  /** Then remove from the target tree what the source tree does not have. */
  readonly delete?: boolean;
  /** Fail with `exists` rather than replace a file. */
  readonly noClobber?: boolean;
  /** Awaited before each file, so that the display of progress keeps up. */
  readonly ready?: () => Promise<void> | undefined;
  /** Names to leave out, on both sides: see glob.ts. */
  readonly exclude?: readonly string[];
  /** Only tell what would be done. */
  readonly dryRun?: boolean;
  /** Called for everything that happens; must not throw. */
  readonly onEvent?: (event: TransferEvent) => void;
}
