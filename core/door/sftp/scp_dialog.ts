/**
 * The protocol of scp, which `scp -O` and old clients speak: `scp -t` receives files, `scp -f` sends
 * them. Its only description is the source, OpenSSH's scp.c.
 *
 *   T1700000000 0 1700000000 0     times of what comes next (-p)
 *   C0644 5 a.txt                  a file: its bytes follow, and a zero
 *   D0755 0 folder                 a folder (-r): its entries follow, up to
 *   E
 *
 * Each line, and the bytes of each file, are answered by 0 for success; by 1 and a line with the reason
 * of a failure; or by 2 and a line with the reason why the dialog ends.
 */
import { BargeError } from "../../error.ts";
import { printable } from "../../protocol/printable.ts";
import { shorten } from "../../watch/roster.ts";
import { gone } from "./bytes.ts";
import type { Work } from "./work.ts";

/** The most bytes of a line: the longest path and some numbers. */
const maxLineBytes = 8 * 1024;

/**
 * The most characters of a path, and of a reason, in the line of a failure. OpenSSH's scp takes the
 * bytes behind the first 2,047 of a line for the next line.
 */
const maxPathLength = 200;
const maxReasonLength = 400;

/** A command that runs in place of a shell, as its program sees it. */
export interface CommandContext extends Pick<Work, "session" | "bytes" | "ended" | "access"> {
  /** Writes a message to the standard error. */
  complain(text: string): Promise<void>;
}

/** The lines and answers of one run. */
export class ScpDialog {
  readonly command: CommandContext;
  readonly recursive: boolean;
  /** Whether times are sent. */
  readonly times: boolean;
  /** Whether the target must be a folder. */
  readonly folder: boolean;
  /** True after any failure. */
  failed = false;

  /** @param letters the options of the command line */
  constructor(command: CommandContext, letters: ReadonlySet<string>) {
    this.command = command;
    this.recursive = letters.has("r");
    this.times = letters.has("p");
    this.folder = letters.has("d");
  }

  /** Sends the answer for success. */
  async ok(): Promise<void> {
    await this.command.bytes.send(new Uint8Array(1));
  }

  /**
   * Sends a line. An LF in a name would end it, and the rest would be read as a line of its own.
   *
   * @throws {BargeError} `refused` for a text with an LF
   */
  async sendLine(line: string): Promise<void> {
    if (line.includes("\n")) throw unwritable();
    await this.command.bytes.send(new TextEncoder().encode(`${line}\n`));
  }

  /** Sends the failure of one file; the dialog goes on. */
  async fail(path: string, error: BargeError): Promise<void> {
    this.failed = true;
    const where = shorten(printable(path), maxPathLength);
    const why = shorten(printable(error.message), maxReasonLength);
    await this.sendLine(`\x01barge: ${where}: ${why}`);
  }

  /**
   * Reads the client's answer to a line, or to the bytes of a file.
   *
   * @returns false if the client reports a failure
   * @throws {BargeError} `unavailable` when it is gone; `protocol`; `refused` when it ends the dialog
   */
  async readAnswer(): Promise<boolean> {
    const { bytes } = this.command;
    if (!await bytes.need(1)) throw gone();
    const [code] = bytes.take(1);
    if (code === 0) return true;
    if (code > 2) throw new BargeError("protocol", "not an answer of scp's protocol");
    const why = await this.line();
    this.failed = true;
    if (code === 2) throw new BargeError("refused", `the client gave up: ${why}`);
    return false;
  }

  /**
   * Reads a line, without its end; null when the client has ended its side.
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
      if (line.length > maxLineBytes) throw new BargeError("protocol", "a line that is too long");
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
