/** The contract, at the FTP door: with TLS, which proves what is whole, on both connections. */
import { twoNodes } from "./_cluster.ts";
import type { Server } from "../_server.ts";
import { parseAddress } from "../../core/net/address.ts";
import { Client } from "../core/door/ftp/_client.ts";
import { type DoorUnderTest, type Listed, Refused, type Visitor } from "./_door.ts";
import { keepsNothing } from "./_kept.ts";
import { endsLogins } from "./_revoked.ts";
import { contract } from "./_suite.ts";

class FtpVisitor implements Visitor {
  constructor(readonly client: Client) {}

  async #ask(line: string): Promise<string> {
    await this.client.wire.send(`${line}\r\n`);
    return this.#accepted(await this.client.reply());
  }

  #accepted(reply: string): string {
    if (/^[123]/.test(reply)) return reply;
    throw new Refused(reply, reply.startsWith("552"));
  }

  /** A transfer command, up to its 150. */
  async #begin(line: string) {
    const data = await this.client.passive();
    try {
      await this.#ask(line);
      await this.client.join(data);
      return data;
    } catch (error) {
      data[Symbol.dispose]();
      throw error;
    }
  }

  /** With its size told first: else of several at once each may reserve a part, and none the whole. */
  async put(path: string, bytes: Uint8Array): Promise<void> {
    await this.#ask(`ALLO ${bytes.length}`);
    await this.#send(`STOR ${path}`, bytes);
  }

  async #send(line: string, bytes: Uint8Array): Promise<void> {
    using data = await this.#begin(line);
    // What is refused in the midst of it is cut off there; the reply says why.
    if (bytes.length > 0) await data.send(bytes).catch(() => {});
    data.end();
    this.#accepted(await this.client.reply());
  }

  async get(path: string): Promise<Uint8Array> {
    using data = await this.#begin(`RETR ${path}`);
    const bytes = await data.rest();
    this.#accepted(await this.client.reply());
    return bytes;
  }

  async list(path: string): Promise<Listed[]> {
    using data = await this.#begin(`MLSD ${path}`);
    const text = (await data.rest()).toString();
    this.#accepted(await this.client.reply());
    return text.split("\r\n").slice(0, -1).map((line) => {
      const [, facts, name] = /^(\S*) (.*)$/.exec(line)!;
      const type = facts.includes("type=dir;") ? "dir" as const : "file" as const;
      return { name, type, size: Number(/size=(\d+);/.exec(facts)?.[1] ?? 0) };
    });
  }

  async mkdir(path: string): Promise<void> {
    await this.#ask(`MKD ${path}`);
  }

  async remove(path: string): Promise<void> {
    const folder = /type=dir;/.test(await this.#ask(`MLST ${path}`));
    await this.#ask(`${folder ? "RMD" : "DELE"} ${path}`);
  }

  async move(from: string, to: string): Promise<void> {
    await this.#ask(`RNFR ${from}`);
    await this.#ask(`RNTO ${to}`);
  }

  async cut(path: string, bytes: Uint8Array, sent: number): Promise<void> {
    using data = await this.#begin(`STOR ${path}`);
    await data.send(bytes.subarray(0, sent));
    data.endBelow();
    await this.client.expect(426);
  }

  async begin(path: string, bytes: Uint8Array, sent: number): Promise<() => Promise<void>> {
    const data = await this.#begin(`STOR ${path}`);
    await data.send(bytes.subarray(0, sent));
    return async () => {
      using _ = data;
      await data.send(bytes.subarray(sent)).catch(() => {});
      data.end();
      this.#accepted(await this.client.reply());
    };
  }

  async resume(path: string, bytes: Uint8Array, offset: number): Promise<void> {
    await this.#ask(`REST ${offset}`);
    await this.#send(`STOR ${path}`, bytes.subarray(offset));
  }

  async left(): Promise<number> {
    return Number((await this.#ask("AVBL")).slice(4));
  }

  async sha256(path: string): Promise<string> {
    return (await this.#ask(`XSHA256 ${path}`)).slice(4);
  }

  async stall(path: string): Promise<() => Promise<number>> {
    const data = await this.#begin(`RETR ${path}`);
    return async () => {
      using _ = data;
      return await data.drain();
    };
  }

  async ended(): Promise<void> {
    await this.client.gone();
  }

  [Symbol.asyncDispose](): Promise<void> {
    leave(this.client);
    return Promise.resolve();
  }
}

/** Names of clients that are gone: the runtime forgets the TLS session of a name when 32 newer ones came. */
const freeNames: string[] = [];

function leave(client: Client): void {
  client[Symbol.dispose]();
  if (client.servername) freeNames.push(client.servername);
}

const ftp: DoorUnderTest = {
  name: "ftp",
  args: ["--ftp", "127.0.0.1:0"],
  raw: true,
  notLoggedIn: /\b530 /,
  async visit(server: Server, account: string, password: string) {
    const client = await Client.open(parseAddress(server.facts.ftp!));
    try {
      await client.secure(freeNames.pop());
      await client.ask(`USER ${account}`, 331);
      await client.wire.send(`PASS ${password}\r\n`);
      const reply = await client.reply();
      if (!reply.startsWith("230")) throw new Refused(reply);
      await client.private();
      await client.ask("TYPE I", 200);
      return new FtpVisitor(client);
    } catch (error) {
      leave(client);
      throw error;
    }
  },
};

contract(ftp);
contract(ftp, twoNodes);
keepsNothing(ftp);
endsLogins(ftp);
