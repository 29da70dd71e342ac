/** The contract, at WebDAV; what was cut is gone on with by tus, which has the same uploads. */
import { twoNodes } from "./_cluster.ts";
import { type Answer, basic, Client } from "../core/door/http/_client.ts";
import { type DoorUnderTest, type Listed, Refused, type Visitor } from "./_door.ts";
import { keepsNothing } from "./_kept.ts";
import { endsLogins } from "./_revoked.ts";
import { contract } from "./_suite.ts";

class DavVisitor implements Visitor {
  constructor(readonly client: Client) {}

  async put(path: string, bytes: Uint8Array): Promise<void> {
    check(await this.client.ask("PUT", url(path), {}, bytes));
  }

  async get(path: string): Promise<Uint8Array> {
    const answer = check(await this.client.ask("GET", url(path)));
    if (answer.headers.has("etag")) return answer.bytes;
    throw new Refused("it is a folder, and was shown as one");
  }

  async list(path: string): Promise<Listed[]> {
    const { text } = check(await this.client.ask("PROPFIND", url(path), { depth: "1" }));
    const found = [...text.matchAll(/<D:response><D:href>(.*?)<\/D:href>.*?<\/D:response>/gs)];
    if (!text.includes("<D:collection/>")) throw new Refused("it is no folder");
    return found.slice(1).map(([whole, href]) => ({
      name: decodeURIComponent(href.replace(/\/$/, "").split("/").at(-1)!),
      type: whole.includes("<D:collection/>") ? "dir" : "file",
      size: Number(/<D:getcontentlength>(\d+)</.exec(whole)?.[1] ?? 0),
    }));
  }

  async mkdir(path: string): Promise<void> {
    check(await this.client.ask("MKCOL", url(path)));
  }

  /** WebDAV removes a folder with all that is in it: a client has to look first. */
  async remove(path: string): Promise<void> {
    const { status, text } = await this.client.ask("PROPFIND", url(path), { depth: "1" });
    const full = status === 207 && text.split("<D:response>").length > 2;
    if (full) throw new Refused("the folder is not empty");
    check(await this.client.ask("DELETE", url(path)));
  }

  async move(from: string, to: string): Promise<void> {
    const headers = { destination: url(to), overwrite: "F" };
    check(await this.client.ask("MOVE", url(from), headers));
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
    const headers = {
      "tus-resumable": "1.0.0",
      "upload-offset": String(offset),
      "content-type": "application/offset+octet-stream",
    };
    const upload = url(path).replace("/dav/", "/api/v1/uploads/");
    check(await this.client.ask("PATCH", upload, headers, bytes.subarray(offset)));
  }

  async left(): Promise<number> {
    const body = '<propfind xmlns="DAV:"><prop><quota-available-bytes/></prop></propfind>';
    const { text } = check(
      await this.client.ask("PROPFIND", "/dav/home/", { depth: "0" }, body),
    );
    return Number(/<D:quota-available-bytes>(\d+)</.exec(text)![1]);
  }

  async sha256(path: string): Promise<string> {
    const { headers } = check(await this.client.ask("HEAD", url(path)));
    const base64 = headers.get("etag")!.slice(1, -1).replaceAll("-", "+").replaceAll("_", "/");
    return Array.from(atob(base64), (c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("");
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
  return `/dav${path.split("/").map(encodeURIComponent).join("/")}`;
}

function check(answer: Answer): Answer {
  if (answer.status < 400) return answer;
  throw new Refused(`${answer.status} ${answer.text}`, answer.status === 507);
}

const webdav: DoorUnderTest = {
  name: "WebDAV",
  args: ["--http", "127.0.0.1:0"],
  raw: true,
  notLoggedIn: /^401 /,
  async visit(server, account, password) {
    const client = await Client.open(server.facts.http!, basic(account, password));
    const { status } = await client.ask("PROPFIND", "/dav/", { depth: "0" });
    if (status === 207) return new DavVisitor(client);
    client[Symbol.dispose]();
    throw new Refused(`the login was answered with ${status}`);
  },
};

contract(webdav);
contract(webdav, twoNodes);
keepsNothing(webdav);
endsLogins(webdav);
