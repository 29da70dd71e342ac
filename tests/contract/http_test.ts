/** The contract, at the HTTP door: its API, and tus to go on with an upload. */
import { twoNodes } from "./_cluster.ts";
import { type Answer, basic, Client } from "../core/door/http/_client.ts";
import { type DoorUnderTest, type Listed, Refused, type Visitor } from "./_door.ts";
import { keepsNothing } from "./_kept.ts";
import { endsLogins } from "./_revoked.ts";
import { contract } from "./_suite.ts";

const api = "/api/v1";

class HttpVisitor implements Visitor {
  constructor(readonly client: Client) {}

  async put(path: string, bytes: Uint8Array): Promise<void> {
    check(await this.client.ask("PUT", url(path), {}, bytes));
  }

  async get(path: string): Promise<Uint8Array> {
    const answer = check(await this.client.ask("GET", url(path)));
    if (answer.headers.has("etag")) return answer.bytes;
    throw new Refused("it is a folder, and was listed");
  }

  async list(path: string): Promise<Listed[]> {
    const { entries } = check(await this.client.ask("GET", `${url(path)}/`)).json;
    return (entries as Listed[]).map(({ name, type, size }) => ({ name, type, size }));
  }

  async mkdir(path: string): Promise<void> {
    check(await this.client.json("POST", `${api}/mkdir`, { path }));
  }

  async remove(path: string): Promise<void> {
    check(await this.client.ask("DELETE", url(path)));
  }

  async move(from: string, to: string): Promise<void> {
    check(await this.client.json("POST", `${api}/move`, { from, to }));
  }

  async cut(path: string, bytes: Uint8Array, sent: number): Promise<void> {
    const expecting = { "content-length": String(bytes.length), "expect": "100-continue" };
    await this.client.begin("PUT", url(path), expecting);
    check(await this.client.answer()); // it is begun
    await this.client.send(bytes.subarray(0, sent));
    this.client[Symbol.dispose]();
  }

  async begin(path: string, bytes: Uint8Array, sent: number): Promise<() => Promise<void>> {
    const expecting = { "content-length": String(bytes.length), "expect": "100-continue" };
    await this.client.begin("PUT", url(path), expecting);
    check(await this.client.answer());
    await this.client.send(bytes.subarray(0, sent));
    return async () => {
      await this.client.send(bytes.subarray(sent)).catch(() => {/* the answer says why */});
      check(await this.client.answer());
    };
  }

  async resume(path: string, bytes: Uint8Array, offset: number): Promise<void> {
    const upload = url(path).replace("/files", "/uploads");
    const headers = {
      "tus-resumable": "1.0.0",
      "upload-offset": String(offset),
      "content-type": "application/offset+octet-stream",
    };
    check(await this.client.ask("PATCH", upload, headers, bytes.subarray(offset)));
  }

  async left(): Promise<number> {
    return check(await this.client.ask("GET", `${api}/quota`)).json.left;
  }

  async sha256(path: string): Promise<string> {
    const { headers } = check(await this.client.ask("HEAD", url(path)));
    return headers.get("etag")!.slice(1, -1);
  }

  async stall(path: string): Promise<() => Promise<number>> {
    await this.client.begin("GET", url(path));
    await this.client.start();
    return () => this.client.drain();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]();
    return Promise.resolve();
  }
}

/** Dots stay dots: where a path is to lead out, it is to arrive. */
function url(path: string): string {
  return `${api}/files${path.split("/").map(encodeURIComponent).join("/")}`;
}

function check(answer: Answer): Answer {
  if (answer.status < 400) return answer;
  throw new Refused(`${answer.status} ${answer.text}`, answer.status === 507);
}

const http: DoorUnderTest = {
  name: "HTTP",
  args: ["--http", "127.0.0.1:0"],
  raw: true,
  notLoggedIn: /^401 /,
  async visit(server, account, password) {
    const client = await Client.open(server.facts.http!, basic(account, password));
    const { status } = await client.ask("GET", `${api}/account`);
    if (status === 200) return new HttpVisitor(client);
    client[Symbol.dispose]();
    throw new Refused(`the login was answered with ${status}`);
  },
  async visitWithCode(server, name, password, code) {
    using client = await Client.open(server.facts.http!);
    const body = JSON.stringify({ name, password, code });
    const headers = { "content-type": "application/json" };
    const { json } = check(await client.ask("POST", `${api}/login`, headers, body));
    return await http.visit(server, name, json.token);
  },
};

contract(http);
contract(http, twoNodes);
keepsNothing(http);
endsLogins(http);
