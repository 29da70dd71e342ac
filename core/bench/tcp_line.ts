/** A request over TCP: so many bytes to an echo server, and as many back. */
import type { Address } from "../net/address.ts";
import { upper } from "../echo/upper.ts";
import { Failed, failed, type Line } from "./line.ts";

/** What the kernel's buffers hold anyway: longer messages are written and read side by side. */
const buffered = 32 * 1024;
const pieces = 64 * 1024;

export interface TcpOptions {
  readonly address: Address;
  /** Bytes of a message. */
  readonly size: number;
  /** Look at every byte of the answers: they are what was sent, as it was or in upper case. */
  readonly verify: boolean;
  /** ms to connect. */
  readonly timeout: number;
}

/** A message of so many bytes: lower-case letters, a line feed at its end. */
export function message(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => i === size - 1 ? 10 : 97 + i % 26);
}

/** Opens connections that send the same message again and again. */
export function tcpLines({ address, size, verify, timeout }: TcpOptions): () => Promise<Line> {
  const sent = message(size);
  const raised = sent.slice();
  upper(raised);
  return async () => {
    try {
      const { host: hostname, port } = address;
      const conn = await Deno.connect({ hostname, port, signal: AbortSignal.timeout(timeout) });
      conn.setNoDelay(true);
      return new TcpLine(conn, sent, verify ? raised : undefined);
    } catch (cause) {
      if ((cause as Error).name === "TimeoutError") throw new Failed("late", { cause });
      throw failed(cause);
    }
  };
}

class TcpLine implements Line {
  readonly survives = false;
  readonly #conn: Deno.TcpConn;
  readonly #sent: Uint8Array<ArrayBuffer>;
  readonly #raised: Uint8Array | undefined;
  /** One byte more than the answer has shows when more comes. */
  readonly #buffer: Uint8Array<ArrayBuffer>;
  #cut = false;

  constructor(conn: Deno.TcpConn, sent: Uint8Array<ArrayBuffer>, raised: Uint8Array | undefined) {
    this.#conn = conn;
    this.#sent = sent;
    this.#raised = raised;
    this.#buffer = new Uint8Array(Math.min(sent.length + 1, pieces));
  }

  async exchange(): Promise<number> {
    const sent = this.#sent;
    try {
      if (sent.length <= buffered) {
        const n = await this.#conn.write(sent);
        if (n < sent.length) await this.#write(n);
        await this.#read();
      } else {
        const written = this.#write(0).then(() => undefined, (error: unknown) => error);
        await this.#read();
        const error = await written;
        if (error !== undefined) throw error;
      }
      return 2 * sent.length;
    } catch (cause) {
      throw this.#cut ? new Failed("late", { cause }) : failed(cause);
    }
  }

  async #write(from: number): Promise<void> {
    for (let at = from; at < this.#sent.length;) {
      at += await this.#conn.write(this.#sent.subarray(at));
    }
  }

  async #read(): Promise<void> {
    const { length } = this.#sent;
    for (let got = 0; got < length;) {
      const n = await this.#conn.read(this.#buffer);
      if (n === null) throw new Failed("closed");
      if (got + n > length) throw new Failed("extra");
      if (this.#raised) this.#check(got, n, this.#raised);
      got += n;
    }
  }

  #check(at: number, n: number, raised: Uint8Array): void {
    for (let i = 0; i < n; i++) {
      const byte = this.#buffer[i];
      if (byte !== raised[at + i] && byte !== this.#sent[at + i]) throw new Failed("wrong");
    }
  }

  cut(): void {
    this.#cut = true;
    this.close();
  }

  close(): void {
    try {
      this.#conn.close();
    } catch { /* it is closed already */ }
  }
}
