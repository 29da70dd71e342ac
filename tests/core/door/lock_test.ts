/** WebDAV's locks bind WebDAV's clients alone. */
import assert from "node:assert/strict";
import { Client as FtpClient } from "./ftp/_client.ts";
import { parseAddress } from "../../../core/net/address.ts";
import { startServer } from "../../_server.ts";
import { eager, Peer, text } from "./_peer.ts";
import { basic, Client } from "./http/_client.ts";

const at = "127.0.0.1:0";
const lock =
  '<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>';

Deno.test("a locked file is changed at every other door, and at WebDAV only with the token", async () => {
  await using server = await startServer({ args: ["--workers", "1", "--http", at, "--ftp", at] });
  await server.addUser("anna");
  const token = await server.issueToken("anna");
  using native = await Peer.open(server.address, token);
  using http = await Client.open(server.facts.http!, basic("anna", token));
  using ftp = await FtpClient.open(parseAddress(server.facts.ftp!), token);
  await native.ask(eager("/home/f", text("first")));
  assert.equal((await http.ask("LOCK", "/dav/home/f", {}, lock)).status, 200);
  const content = async () => (await http.ask("GET", "/dav/home/f")).text;
  const changes: Record<string, (content: string) => Promise<unknown>> = {
    native: (content) => native.ask(eager("/home/f", text(content))),
    FTP: (content) => ftp.put("STOR /home/f", content),
    API: (content) => http.ask("PUT", "/api/v1/files/home/f", {}, content),
  };
  for (const [door, change] of Object.entries(changes)) {
    await change(`by ${door}`);
    assert.equal(await content(), `by ${door}`);
    assert.equal((await http.ask("PUT", "/dav/home/f", {}, "by WebDAV")).status, 423, door);
  }
  await native.ask({ verb: "remove", path: "/home/f" });
  assert.equal((await http.ask("PUT", "/dav/home/f", {}, "by WebDAV")).status, 201);
});
