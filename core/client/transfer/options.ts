/** The options of a transfer that put and get share. */
import type { FilterOptions } from "../filter/options.ts";
import type { Client } from "../client.ts";
import type { MaxDelete } from "./brake.ts";
import type { TransferEvent } from "./events.ts";

export interface TransferOptions extends FilterOptions {
  /** Transfer folders with their contents. */
  readonly recursive?: boolean;
  /** Skip files that have the same size and time on both sides. */
  readonly update?: boolean;
  /** Skip files that have the same size and SHA-256 on both sides. */
  readonly checksum?: boolean;
  /** False: large files are not hashed on this side; the connection is trusted. */
  readonly verify?: boolean;
  /** Remove names from the target tree that the source tree does not have. */
  readonly delete?: boolean;
  /** Fail with `exists` rather than replace a file. */
  readonly noClobber?: boolean;
  /** Stop before a tree is transferred if `delete` would remove more. Default: no limit. */
  readonly maxDelete?: MaxDelete;
  /** Further connections to the same server, logged in as the same account, that take files, too. */
  readonly others?: readonly Client[];
  /** The remote paths of files that an earlier attempt has transferred, and that are left out. */
  readonly done?: ReadonlySet<string>;
  /**
   * The remote paths of files that an earlier attempt has sent without an answer. With `noClobber`, such a file
   * is a success if the server has its content by now.
   */
  readonly unanswered?: ReadonlySet<string>;
  /** Awaited before each file, so that the display of progress keeps up. */
  readonly ready?: () => Promise<void> | undefined;
  /** Report the results without a change. */
  readonly dryRun?: boolean;
  /** Called for each event; must not throw. */
  readonly onEvent?: (event: TransferEvent) => void;
}
