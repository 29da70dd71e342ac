/** An FTP client that can send any bytes in any order, and end a connection in any way. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Received } from "../_received.ts";
import type { Here } from "./_here.ts";

const within = 20_000;

interface TlsOptions {
  readonly ALPNProtocols?: string[];
  readonly session?: Buffer;
  /** The runtime keeps one session for each name, and ignores `session`. */
  readonly servername?: string;
}

/** A connection with or without TLS. */
export class Wire implements Disposable {
  #socket: Socket;
  #plain: Socket | undefined;
  readonly #received = new Received();
  #over = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  /** @param from the local address */
  static async open(port: number, from?: string): Promise<Wire> {
    const to = { host: "127.0.0.1", port, localAddress: from };
    const socket = connect({ ...to, noDelay: true, allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new Wire(socket);
  }

  /** Begins TLS. */
  async secure(options: TlsOptions = {}): Promise<TLSSocket> {
    const plain = this.#plain = this.#socket;
    plain.removeAllListeners("data");
    plain.removeAllListeners("end");
    const socket = connectTls({ socket: plain, rejectUnauthorized: false, ...options });
    this.#socket = socket;
    // Listens from the beginning: the runtime may lose the end of a TLS socket that does not flow yet.
    this.#listen(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("closed in the handshake")));
    });
    return socket;
  }

  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(
        typeof bytes === "string" ? Buffer.from(bytes) : bytes,
        (error) => error ? reject(error) : resolve(),
      );
    });
  }

  /** Ends the client's side; with TLS by close_notify. */
  end(): void {
    this.#socket.end();
  }

  /** Returns the TLS session, which another connection can resume. */
  get session(): Buffer | undefined {
    return this.#plain && (this.#socket as TLSSocket).getSession();
  }

  /** The connection below TLS. */
  get plain(): Socket | undefined {
    return this.#plain;
  }

  /** Ends the client's side without close_notify. */
  endBelow(): void {
    this.#plain!.end();
  }

  /** Resets the connection. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Returns the next line, without its end; undefined when the server has ended its side. */
  async line(): Promise<string | undefined> {
    while (true) {
      const end = this.#received.joined().indexOf("\n");
      if (end !== -1) return this.#received.take(end + 1).toString().replace(/\r?\n$/, "");
      if (this.#over) return undefined;
      await this.#more();
    }
  }

  /** Returns all bytes until the server ends its side. */
  async rest(): Promise<Buffer> {
    while (!this.#over) await this.#more();
    return this.#received.joined();
  }

  /** Takes in all bytes until the server ends its side, and keeps none. @returns their number */
  async drain(): Promise<number> {
    let bytes = this.#received.clear();
    while (!this.#over) {
      await this.#more();
      bytes += this.#received.clear();
    }
    return bytes + this.#received.clear();
  }

  /** Waits until `bytes` bytes have arrived. */
  async some(bytes: number): Promise<void> {
    while (!this.#over && this.#received.length < bytes) await this.#more();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
    this.#plain?.destroy();
  }

  #listen(socket: Socket): void {
    socket.on("data", (bytes: Buffer) => {
      this.#received.push(bytes);
      this.#wake();
    });
    const over = () => {
      this.#over = true;
      this.#wake();
    };
    socket.on("end", over);
    socket.on("close", over);
    socket.on("error", over);
  }

  async #more(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const late = setTimeout(() => reject(new Error("nothing came")), within);
    try {
      await promise;
    } finally {
      clearTimeout(late);
    }
  }
}

/** Each client has its own name, since the runtime resumes the latest session of a name. */
let named = 0;

export class Client implements Disposable {
  protect = false;
  servername: string | undefined;

  /** @param wire taken over */
  constructor(readonly wire: Wire) {}

  /** Connects, and reads nothing. */
  static async connect({ port }: { readonly port: number }): Promise<Client> {
    return new Client(await Wire.open(port));
  }

  /** Connects, reads the greeting, and logs in if there is a token for it. */
  static async open(at: { readonly port: number }, token?: string): Promise<Client> {
    const client = await Client.connect(at);
    await client.expect(220);
    if (token) await client.login(token);
    return client;
  }

  static async anna(here: Here): Promise<Client> {
    const client = await Client.open(here, here.token);
    await client.ask("TYPE I", 200);
    return client;
  }

  async login(token: string, name = "anna"): Promise<void> {
    await this.ask(`USER ${name}`, 331);
    await this.ask(`PASS ${token}`, 230);
  }

  /** Begins TLS on both connections. @param servername the name of an earlier client, to resume its session */
  async secure(servername?: string): Promise<TLSSocket> {
    await this.ask("AUTH TLS", 234);
    return await this.beginTls(servername);
  }

  /** Begins TLS after AUTH TLS, or where a connection begins with it. @param servername as of {@link secure} */
  async beginTls(servername = `client${++named}.test`): Promise<TLSSocket> {
    this.servername = servername;
    return await this.wire.secure({ servername });
  }

  /** Begins TLS on a data connection, and resumes the session of this connection. */
  async join(data: Wire): Promise<TLSSocket> {
    return await data.secure({ session: this.wire.session, servername: this.servername });
  }

  async private(): Promise<void> {
    await this.ask("PBSZ 0", 200);
    await this.ask("PROT P", 200);
    this.protect = true;
  }

  /** Returns all lines of the next reply. */
  async reply(): Promise<string> {
    const lines: string[] = [];
    while (true) {
      const line = await this.wire.line();
      assert.ok(line !== undefined, `the connection ended after ${JSON.stringify(lines)}`);
      lines.push(line);
      if (/^\d{3} /.test(line) && line.slice(0, 3) === lines[0].slice(0, 3)) {
        return lines.join("\n");
      }
    }
  }

  /** Returns the next reply, which must have one of these codes. */
  async expect(...codes: number[]): Promise<string> {
    const reply = await this.reply();
    assert.ok(codes.includes(Number(reply.slice(0, 3))), `${reply}, and not ${codes.join(" or ")}`);
    return reply;
  }

  async ask(line: string, ...codes: number[]): Promise<string> {
    await this.wire.send(`${line}\r\n`);
    try {
      return await this.expect(...codes);
    } catch (error) {
      throw new Error(`${line}: ${(error as Error).message}`);
    }
  }

  /** Opens a passive data connection, without TLS. */
  async passive(): Promise<Wire> {
    const [, port] = /\(\|\|\|(\d+)\|\)/.exec(await this.ask("EPSV", 229))!;
    return await Wire.open(Number(port));
  }

  /** Sends a transfer command, and reads its reply 150. */
  async begin(line: string): Promise<Wire> {
    const data = await this.passive();
    await this.ask(line, 150);
    if (this.protect) await this.join(data);
    return data;
  }

  async put(line: string, bytes: string | Uint8Array, ...codes: number[]): Promise<string> {
    using data = await this.begin(line);
    if (bytes.length > 0) await data.send(bytes); // the runtime's TLS never calls back for an empty write
    data.end();
    return await this.expect(...codes.length ? codes : [226]);
  }

  async get(line: string): Promise<Buffer> {
    using data = await this.begin(line);
    const bytes = await data.rest();
    await this.expect(226);
    return bytes;
  }

  async lines(line: string): Promise<string[]> {
    return (await this.get(line)).toString().split("\r\n").slice(0, -1);
  }

  /** Checks that the server has ended the connection. */
  async gone(): Promise<void> {
    await this.wire.rest();
  }

  [Symbol.dispose](): void {
    this.wire[Symbol.dispose]();
  }
}
