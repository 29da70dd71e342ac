/** Minimal clients that count the files of a folder, for each door. */
import { Client as Ssh, type SFTPWrapper } from "ssh2";

const authorization = `Basic ${btoa("bench:bench-secret")}`;

/** Counts over HTTP: lines of the API's JSON, or responses in WebDAV's XML. */
export async function webListing(
  host: string,
  method: "GET" | "PROPFIND",
  path: string,
): Promise<number> {
  const api = method === "GET";
  const response = await fetch(`http://${host}${api ? "/api/v1/files" : "/dav"}${path}/`, {
    method,
    headers: { authorization, ...api ? { accept: "application/x-ndjson" } : { depth: "1" } },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 100)}`);
  if (api) return text.split("\n").filter(Boolean).length;
  // The first response is the folder itself.
  return text.split(/<(?:\w+:)?response>/).length - 2;
}

/** An FTP session. */
export class FtpListing implements Disposable {
  readonly #conn: Deno.TcpConn;
  readonly #buffer = new Uint8Array(65_536);
  #received = "";

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  static async open(address: string): Promise<FtpListing> {
    const session = new FtpListing(await dial(address));
    await session.#reply();
    await session.#ask("USER bench");
    await session.#ask("PASS bench-secret");
    return session;
  }

  async count(path: string): Promise<number> {
    const port = Number(/\|\|\|(\d+)\|/.exec(await this.#ask("EPSV"))![1]);
    using data = await Deno.connect({ hostname: "127.0.0.1", port });
    const text = new Response(data.readable).text();
    await this.#ask(`MLSD ${path}`);
    const lines = (await text).split("\r\n").filter((line) => /\btype=file;/i.test(line));
    await this.#reply();
    return lines.length;
  }

  async #ask(line: string): Promise<string> {
    await this.#conn.write(new TextEncoder().encode(`${line}\r\n`));
    return await this.#reply();
  }

  async #reply(): Promise<string> {
    for (;;) {
      const reply = /^(\d{3} .*)\r\n/m.exec(this.#received);
      if (reply) {
        this.#received = this.#received.slice(reply.index + reply[0].length);
        if (/^[45]/.test(reply[1])) throw new Error(reply[1]);
        return reply[1];
      }
      const n = await this.#conn.read(this.#buffer);
      if (n === null) throw new Error("FTP: closed");
      this.#received += new TextDecoder().decode(this.#buffer.subarray(0, n));
    }
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}

/** An SFTP session. */
export class SftpListing implements Disposable {
  readonly #client: Ssh;
  readonly #sftp: SFTPWrapper;

  private constructor(client: Ssh, sftp: SFTPWrapper) {
    this.#client = client;
    this.#sftp = sftp;
  }

  static async open(address: string): Promise<SftpListing> {
    const [host, port] = address.split(":");
    const client = new Ssh();
    const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
      client.on(
        "ready",
        () =>
          client.setNoDelay(true).sftp((error: Error | undefined, sftp: SFTPWrapper) =>
            error ? reject(error) : resolve(sftp)
          ),
      );
      client.on("error", reject);
      client.connect({ host, port: Number(port), username: "bench", password: "bench-secret" });
    });
    return new SftpListing(client, sftp);
  }

  count(path: string): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#sftp.readdir(
        path,
        (error: Error | undefined, names: unknown[]) =>
          error ? reject(error) : resolve(names.length),
      )
    );
  }

  [Symbol.dispose](): void {
    this.#client.end();
  }
}

async function dial(address: string): Promise<Deno.TcpConn> {
  const [hostname, port] = address.split(":");
  return await Deno.connect({ hostname, port: Number(port) });
}
