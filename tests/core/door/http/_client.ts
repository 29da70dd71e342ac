/** An HTTP/1.1 client that sends given bytes on one connection. */
import { Buffer } from "node:buffer";
import { Received } from "../_received.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface Answer {
  readonly status: number;
  /** Names are in lower case; several headers of one name are joined with commas. */
  readonly headers: ReadonlyMap<string, string>;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly text: string;
  // deno-lint-ignore no-explicit-any
  readonly json: any;
}

export type Headers = Readonly<Record<string, string>>;

/** The Authorization header of an account whose password is `NAME-secret`, or another. */
export function basic(name: string, password = `${name}-secret`): Headers {
  return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}` };
}

export class Client implements Disposable {
  readonly #conn: Deno.Conn;
  readonly #headers: Headers;
  readonly #received = new Received();
  #closed = false;

  private constructor(conn: Deno.Conn, headers: Headers) {
    this.#conn = conn;
    this.#headers = headers;
  }

  /**
   * @param address HOST:PORT
   * @param headers sent with each request
   * @param cert the server's, for TLS
   */
  static async open(address: string, headers: Headers = {}, cert?: string): Promise<Client> {
    const { hostname, port } = new URL(`http://${address}`);
    const to = { hostname, port: Number(port) };
    const conn = await (cert ? Deno.connectTls({ ...to, caCerts: [cert] }) : Deno.connect(to));
    return new Client(conn, headers);
  }

  /** Sends a request and reads its response. */
  async ask(
    method: string,
    target: string,
    headers: Headers = {},
    body: Uint8Array | string = "",
  ): Promise<Answer> {
    const bytes = typeof body === "string" ? encoder.encode(body) : body;
    const sized = bytes.length > 0 || /^P/.test(method);
    await this.begin(method, target, {
      ...sized ? { "content-length": String(bytes.length) } : {},
      ...headers,
    });
    if (bytes.length > 0) await this.send(bytes);
    return await this.answer(method);
  }

  /** Sends a request with a body in JSON, and reads its response. */
  json(method: string, target: string, value: unknown): Promise<Answer> {
    return this.ask(method, target, { "content-type": "application/json" }, JSON.stringify(value));
  }

  /** Sends the head of a request. */
  async begin(method: string, target: string, headers: Headers = {}): Promise<void> {
    const all = { host: "localhost", ...this.#headers, ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    await this.send(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`);
  }

  async send(what: Uint8Array | string): Promise<void> {
    const bytes = typeof what === "string" ? encoder.encode(what) : what;
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Reads one response, also an interim one. @throws {Error} when the connection ends before its end */
  async answer(method = "GET"): Promise<Answer> {
    const head = decoder.decode(await this.#until("\r\n\r\n"));
    const [first, ...lines] = head.trimEnd().split("\r\n");
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(":");
      const [name, value] = [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
    }
    const status = Number(first.split(" ")[1]);
    const none = method === "HEAD" || status < 200 || status === 204 || status === 304;
    const bytes = none ? new Uint8Array() : await this.#body(headers);
    const text = decoder.decode(bytes);
    return {
      status,
      headers,
      bytes,
      text,
      get json() {
        return JSON.parse(text);
      },
    };
  }

  /** Ends the client's side of the connection. */
  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** Waits until a response has begun. */
  async start(): Promise<void> {
    if (this.#received.length === 0) await this.#more();
  }

  /** Reads until the server closes. @returns the text */
  async end(): Promise<string> {
    while (await this.#more());
    return decoder.decode(this.#received.joined());
  }

  /** Reads until the server closes, and keeps nothing. @returns the number of bytes */
  async drain(): Promise<number> {
    let bytes = this.#received.clear();
    while (await this.#more()) bytes += this.#received.clear();
    return bytes;
  }

  /** Reads a number of bytes. */
  async take(size: number): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#received.length < size) {
      if (!await this.#more()) throw new Error("the connection ended early");
    }
    return new Uint8Array(this.#received.take(size));
  }

  [Symbol.dispose](): void {
    if (!this.#closed) this.#conn.close();
    this.#closed = true;
  }

  async #body(headers: ReadonlyMap<string, string>): Promise<Uint8Array<ArrayBuffer>> {
    if (headers.get("transfer-encoding") !== "chunked") {
      return await this.take(Number(headers.get("content-length") ?? 0));
    }
    const pieces: Uint8Array[] = [];
    while (true) {
      const size = parseInt(decoder.decode(await this.#until("\r\n")), 16);
      pieces.push(await this.take(size));
      await this.take(2);
      if (size === 0) return new Uint8Array(Buffer.concat(pieces));
    }
  }

  async #until(mark: string): Promise<Uint8Array> {
    while (true) {
      const at = this.#received.joined().indexOf(mark);
      if (at !== -1) return await this.take(at + mark.length);
      if (!await this.#more()) throw new Error("the connection ended early");
    }
  }

  async #more(): Promise<boolean> {
    const piece = Buffer.alloc(64 * 1024);
    const n = await this.#conn.read(piece).catch(() => null);
    if (!n) return false;
    this.#received.push(piece.subarray(0, n));
    return true;
  }
}
