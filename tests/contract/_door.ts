/**
 * What a door has to offer the contract suite (_suite.ts): a client of its own kind, as one account.
 * A door's test file is its adapter and one line: `contract(door)`.
 */
import type { Server } from "../_server.ts";

/** The server said no, and lives; why, as exactly as the protocol can say it. */
export class Refused extends Error {
  override readonly name = "Refused";
  /** @param full for want of room in the quota? Undefined: the protocol can't tell that from others */
  constructor(message: string, readonly full?: boolean) {
    super(message);
  }
}

export interface Listed {
  readonly name: string;
  readonly type: "file" | "dir";
  /** A file's bytes. */
  readonly size: number;
}

/** One account at one door. What the server refuses is thrown as {@link Refused}. */
export interface Visitor extends AsyncDisposable {
  put(path: string, bytes: Uint8Array): Promise<void>;
  get(path: string): Promise<Uint8Array>;
  list(path: string): Promise<Listed[]>;
  mkdir(path: string): Promise<void>;
  /** Removes a file or an empty folder. */
  remove(path: string): Promise<void>;
  move(from: string, to: string): Promise<void>;
  /**
   * Begins an upload of all of the bytes, sends the first `sent`, and is gone without the proof that
   * it was all: once the server has taken in what was sent, so far as the protocol can tell.
   */
  cut(path: string, bytes: Uint8Array, sent: number): Promise<void>;
  /**
   * Begins an upload of all of the bytes, sends the first `sent`, and stays.
   *
   * @returns sends the rest and completes it; throws {@link Refused} when it can't be completed
   */
  begin(path: string, bytes: Uint8Array, sent: number): Promise<() => Promise<void>>;
  /**
   * Goes on with an upload that was cut or is still under way, at whatever door, and completes it.
   *
   * @param offset how many bytes are there
   */
  resume(path: string, bytes: Uint8Array, offset: number): Promise<void>;
  /** Bytes that may still be written; undefined where the protocol has no word for it. */
  left?(): Promise<number>;
  /**
   * Asks for a file, and takes nothing of it.
   *
   * @returns takes what comes until the server ends the connection, and counts its bytes
   */
  stall?(path: string): Promise<() => Promise<number>>;
  /** The server has ended the connection; undefined where a connection is nobody's (HTTP). */
  ended?(): Promise<void>;
  /** The file's SHA-256, in hex. */
  sha256?(path: string): Promise<string>;
}

export interface DoorUnderTest {
  readonly name: string;
  /** For `serve`, beside --native. */
  readonly args: readonly string[];
  /** Does a path go to the server as it is written? Clients that tidy `..` up can't test that. */
  readonly raw: boolean;
  /** The message of what is {@link Refused} for want of a login. */
  readonly notLoggedIn: RegExp;
  /** Makes a pair of keys: the private one is a password for `visit`. Undefined: there are none here. */
  readonly makeKey?: () => { readonly secret: string; readonly line: string };
  /** @throws {Refused} when the login fails */
  visit(server: Server, account: string, password: string): Promise<Visitor>;
  /**
   * Logs in with a code of the second factor, too. Undefined where the protocol has no way to send one.
   *
   * @throws {Refused} when the login fails
   */
  readonly visitWithCode?: (
    server: Server,
    account: string,
    password: string,
    code: string,
  ) => Promise<Visitor>;
}
