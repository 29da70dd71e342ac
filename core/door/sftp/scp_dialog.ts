/**
 * scp's own protocol, which `scp -O` and old clients speak: `scp -t` takes files, `scp -f` gives them.
 * Nobody has written it down but in OpenSSH's scp.c.
 *
 *   T1700000000 0 1700000000 0     times of what comes next (-p)
 *   C0644 5 a.txt                  a file: its bytes follow, and a zero
 *   D0755 0 folder                 a folder (-r): what is in it follows, until
 *   E
 *
 * Each line, and the bytes of each file, are answered by a zero; or by 1 and a line, which says why that
 * one failed; or by 2 and a line, after which there is nothing more.
 */
import { BargeError } from "../../error.ts";
import { printable } from "../../protocol/printable.ts";
import { shorten } from "../../watch/roster.ts";
import type { Session } from "../../login/session.ts";
import type { Access } from "../access.ts";
import type { ChannelBytes } from "./bytes.ts";

/** A line is no longer than the longest path and some numbers. */
const longestLine = 8 * 1024;

/**
 * The characters of a path, and of a reason, in a line that says what failed. OpenSSH's scp takes
 * what is beyond 2,047 bytes of a line for the next one.
 */
const longestPath = 200;
const longestReason = 400;

/** What is asked for by letters. */
export interface ScpOptions {
  readonly recursive: boolean;
  readonly times: boolean;
  /** Must the target be a folder? */
  readonly folder: boolean;
}

/** A command that runs in place of a shell, as its program sees it. */
export interface CommandContext {
  readonly session: Session;
  readonly bytes: ChannelBytes;
  /** Aborted when the connection ends. */
  readonly ended: AbortSignal;
  /** Begins a record of the access log. */
  access(verb: string, path: string | null): Access;
  /** Writes a message to the standard error. */
  complain(text: string): Promise<void>;
}

/** The lines and answers of one run. */
export class ScpDialog {
  readonly command: CommandContext;
  /** Has anything failed? */
  failed = false;

  constructor(command: CommandContext) {
    this.command = command;
  }

  /** Says that all is well so far. */
  async ok(): Promise<void> {
    await this.command.bytes.send(new Uint8Array(1));
  }

  /**
   * Sends a line. A name with an LF would end it, and what follows would be lines of their own.
   *
   * @throws {BargeError} `refused` for a text with an LF
   */
  async tell(line: string): Promise<void> {
    if (line.includes("\n")) throw unwritable();
    await this.command.bytes.send(new TextEncoder().encode(`${line}\n`));
  }

  /** Says why one file failed; the rest goes on. */
  async fail(path: string, error: BargeError): Promise<void> {
    this.failed = true;
    const where = shorten(printable(path), longestPath);
    const why = shorten(printable(error.message), longestReason);
    await this.tell(`\x01barge: ${where}: ${why}`);
  }

  /**
   * Reads what the client says to a line, or to a file's bytes.
   *
   * @returns false: it could not take, or give, that one
   * @throws {BargeError} `unavailable` when it is gone; `protocol`; `refused` when it gives up
   */
  async answered(): Promise<boolean> {
    const { bytes } = this.command;
    if (!await bytes.need(1)) throw new BargeError("unavailable", "the client is gone");
    const [code] = bytes.take(1);
    if (code === 0) return true;
    if (code > 2) throw new BargeError("protocol", "no answer of scp's");
    const why = await this.line();
    this.failed = true;
    if (code === 2) throw new BargeError("refused", `the client gave up: ${why}`);
    return false;
  }

  /**
   * Reads a line, without its end; null when there is none any more.
   *
   * @throws {BargeError} `protocol` for one that is too long, or not UTF-8
   */
  async line(): Promise<string | null> {
    const { bytes } = this.command;
    const line: number[] = [];
    while (await bytes.need(1)) {
      const [byte] = bytes.take(1);
      if (byte === 0x0a) return decode(line);
      line.push(byte);
      if (line.length > longestLine) throw new BargeError("protocol", "a line that is too long");
    }
    return null;
  }
}

function decode(bytes: readonly number[]): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
  } catch {
    throw new BargeError("protocol", "a line that is not valid UTF-8");
  }
}

/** Returns the failure of a name that does not fit a line of the protocol. */
export function unwritable(): BargeError {
  return new BargeError("refused", "its name has a line feed; use sftp, or scp without -O");
}
