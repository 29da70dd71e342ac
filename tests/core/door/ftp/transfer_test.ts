/** Tests transfers that are cut, aborted or resumed, with and without TLS. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { stat } from "../../../../core/session/stat.ts";
import { receive } from "../../../../core/upload/receive.ts";
import { Client, Wire } from "./_client.ts";
import { Here } from "./_here.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Returns bytes without a short period, so that a shifted piece is noticed. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 2654435761 >>> 13) & 255);
}

async function anna(here: Here): Promise<Client> {
  const client = await Client.anna(here);
  await client.ask("CWD /home", 250);
  return client;
}

/** Logs anna in with TLS on both connections. */
async function secured(here: Here): Promise<Client> {
  const client = await Client.open(here);
  await client.secure();
  await client.login(here.token);
  await client.private();
  await client.ask("TYPE I", 200);
  await client.ask("CWD /home", 250);
  return client;
}

const verified = (here: Here, name: string) =>
  here.store.ledger.file({ dir: "homes/anna", name })?.verified;

Deno.test("large files are sent and received with and without TLS; only TLS verifies them", async () => {
  await using here = await Here.start();
  const bytes = pattern(5_000_000);
  for (const open of [anna, secured]) {
    using client = await open(here);
    await client.put("STOR f", bytes);
    assert.equal((await stat(here.session(), "/home/f")).entry?.sha256, sha256(bytes));
    assert.equal(verified(here, "f"), open === secured ? 1 : 0);
    assert.equal(sha256(await client.get("RETR f")), sha256(bytes));
    await client.put("STOR empty", "");
    assert.equal((await client.get("RETR empty")).length, 0);
  }
});

Deno.test("with TLS an upload that ends without close_notify is a partial upload", async () => {
  await using here = await Here.start();
  using client = await secured(here);
  const bytes = pattern(3_000_000);
  await client.put("STOR f", "old");
  {
    using data = await client.begin("STOR f");
    await data.send(bytes.subarray(0, 2_000_000));
    data.endBelow();
    assert.match(await client.expect(426), /2000000 bytes are kept/);
  }
  assert.equal((await client.get("RETR f")).toString(), "old");
  assert.equal((await stat(here.session(), "/home/f")).upload?.offset, 2_000_000);
  await client.ask("REST 2000000", 350);
  await client.put("STOR f", bytes.subarray(2_000_000));
  assert.equal(sha256(await client.get("RETR f")), sha256(bytes));
  assert.equal((await stat(here.session(), "/home/f")).upload, null);
});

Deno.test("a data connection without TLS, or with broken TLS, publishes no file", async () => {
  await using here = await Here.start();
  using client = await secured(here);
  {
    using data = await client.passive();
    await client.ask("STOR f", 150);
    await data.send("this is no handshake");
    await client.expect(425);
  }
  {
    const data = await client.passive();
    await client.ask("STOR f", 150);
    await client.join(data);
    await data.send(pattern(100_000));
    await staged(here, 100_000);
    data.plain!.write(Buffer.from([21, 3, 3, 0, 19, ...pattern(19)])); // a malformed alert
    data.endBelow();
    await client.expect(426);
    data[Symbol.dispose]();
  }
  await client.ask("RETR f", 550);
});

Deno.test("an upload that is reset is a partial upload; SIZE and LIST show its offset", async () => {
  await using here = await Here.start();
  using client = await anna(here);
  const bytes = pattern(1_000_000);
  {
    using data = await client.begin("STOR f");
    await data.send(bytes.subarray(0, 600_000));
    await client.ask("STAT", 211);
    await staged(here, 600_000);
    data.reset();
    await client.expect(426);
  }
  await client.ask("RETR f", 550);
  assert.deepEqual(await client.lines("NLST"), []);
  assert.equal(await client.ask("SIZE f", 213), "213 600000");
  assert.match((await client.lines("LIST f"))[0], / 600000 .* f$/);
  assert.match(await client.ask("MLST f", 250), /size=600000;type=file;/);
  await client.put("APPE f", bytes.subarray(600_000));
  assert.equal(sha256(await client.get("RETR f")), sha256(bytes));
});

Deno.test("REST and APPE resume files and partial uploads of other doors, but not beyond the end", async () => {
  await using here = await Here.start();
  using client = await anna(here);
  const bytes = pattern(400_000);
  await client.put("STOR f", bytes.subarray(0, 100_000));
  await client.put("APPE f", bytes.subarray(100_000, 200_000));
  await client.ask("REST 150000", 350);
  await client.put("STOR f", bytes.subarray(150_000));
  assert.equal(sha256(await client.get("RETR f")), sha256(bytes));
  await client.ask("REST 399990", 350);
  assert.deepEqual(await client.get("RETR f"), Buffer.from(bytes.subarray(399_990)));
  await client.ask("REST 400000", 350);
  assert.equal((await client.get("RETR f")).length, 0);
  for (const line of ["RETR f", "STOR f", "STOR new"]) {
    await client.ask("REST 400001", 350);
    using none = await client.passive();
    await client.ask(line, 554);
    none.end();
  }
  await client.put("APPE fresh", "abc");
  assert.equal((await client.get("RETR fresh")).toString(), "abc");
  const other = await receive(here.session(), {
    path: "/home/half",
    size: bytes.length,
    modified: null,
    overwrite: "always",
  });
  await other.write(bytes.subarray(0, 300_000));
  await other.detach();
  assert.equal(await client.ask("SIZE half", 213), "213 300000");
  await client.ask("REST 300000", 350);
  await client.put("STOR half", bytes.subarray(300_000));
  assert.equal(sha256(await client.get("RETR half")), sha256(bytes));
});

Deno.test("ABOR ends a transfer or an open port, and is accepted without either", async () => {
  await using here = await Here.start();
  using client = await anna(here);
  const bytes = pattern(20_000_000);
  await client.ask("ABOR", 225);
  using unused = await client.passive();
  await client.ask("ABOR", 225);
  unused.end();
  await client.put("STOR f", bytes);
  for (const line of ["RETR f", "STOR g", "LIST"]) {
    // The data connection is open, and no byte moves.
    using data = await client.begin(line === "LIST" ? "RETR f" : line);
    if (line === "STOR g") await data.send(bytes.subarray(0, 1000));
    else await data.some(1000);
    await client.wire.send("ABOR\r\n");
    await client.expect(426);
    await client.expect(226);
  }
  await client.ask("EPSV", 229);
  await client.ask("RETR f", 150);
  await client.wire.send("ABOR\r\nPWD\r\n");
  await client.expect(426);
  await client.expect(226);
  await client.expect(257);
  await client.ask("RETR g", 550);
});

Deno.test("NOOP, STAT and QUIT are answered during a transfer; other commands wait for its end", async () => {
  await using here = await Here.start();
  using client = await anna(here);
  using data = await client.begin("STOR f");
  await data.send("one ");
  await client.ask("NOOP", 200);
  assert.match(await client.ask("STAT", 211), /A transfer is under way/);
  await client.wire.send("SIZE f\r\nPWD\r\n");
  await data.send("two");
  data.end();
  await client.expect(226);
  assert.equal(await client.expect(213), "213 7");
  await client.expect(257);
  using last = await client.begin("STOR g");
  await client.ask("QUIT", 221);
  await last.send("whole");
  last.end();
  await client.expect(226);
  await client.gone();
  assert.equal(Deno.readTextFileSync(here.disk("g")), "whole");
});

Deno.test("a transfer ends when its client leaves, and the received bytes are kept", async () => {
  await using here = await Here.start();
  const client = await anna(here);
  using data = await client.begin("STOR f");
  await data.send(pattern(100_000));
  await staged(here, 100_000);
  client[Symbol.dispose]();
  await data.rest();
  using other = await anna(here);
  for (let size = ""; size !== "213 100000";) size = await other.ask("SIZE f", 213);
  await other.ask("RETR f", 550);
});

/** Begins an upload and ends its data connection; resolves when the server has noticed the end. */
async function sendAll(client: Client, command: string, text: string): Promise<Wire> {
  const data = await client.begin(command);
  if (text !== "") await data.send(text);
  data.end();
  await data.rest();
  return data;
}

Deno.test("without TLS an upload replaces no file if its client leaves after the data", async () => {
  await using here = await Here.start({ timeouts: { replace: 600_000 } });
  using watcher = await anna(here);
  await watcher.put("STOR f", "the old file");
  const cases = [
    ["STOR", "new", 0],
    ["STOR", "", 0],
    ["APPE", ", and more", 0],
    ["STOR", "", 4],
  ] as const;
  for (const [verb, text, rest] of cases) {
    for (const how of ["end", "reset"] as const) {
      const client = await anna(here);
      if (rest > 0) await client.ask(`REST ${rest}`, 350);
      using _data = await sendAll(client, `${verb} f`, text);
      const { length } = here.store.roster.here();
      if (how === "end") client[Symbol.dispose]();
      else client.wire.reset();
      while (here.store.roster.here().length === length) await watcher.ask("NOOP", 200);
      assert.equal((await watcher.get("RETR f")).toString(), "the old file", `${verb} ${how}`);
    }
  }
  assert.equal((await stat(here.session(), "/home/f")).upload?.offset, 4);
});

Deno.test("without TLS an upload replaces a file after another command, or if its size was announced", async () => {
  await using here = await Here.start({ timeouts: { replace: 600_000 } });
  using client = await anna(here);
  await client.put("STOR f", "a new file needs no word");
  for (const word of ["NOOP", "STAT", "PWD"]) {
    using _data = await sendAll(client, "STOR f", `replaced behind ${word}`);
    await client.wire.send(`${word}\r\n`);
    if (word === "PWD") await client.expect(226);
    await client.expect(200, 211, 257);
    if (word !== "PWD") await client.expect(226);
    assert.equal((await client.get("RETR f")).toString(), `replaced behind ${word}`);
  }
  await client.ask("ALLO 8", 200);
  await client.put("STOR f", "just ALL");
  await client.ask("ALLO 3", 200);
  await client.ask("REST 8", 350);
  await client.put("STOR f", "O 8");
  assert.equal((await client.get("RETR f")).toString(), "just ALLO 8");
  await client.ask("TYPE A", 200);
  await client.ask("ALLO 4", 200);
  await client.put("STOR f", "a\r\nb");
  await client.ask("TYPE I", 200);
  // A size other than the announced one proves nothing: ABOR ends the wait.
  await client.ask("ALLO 100", 200);
  using _data = await sendAll(client, "STOR f", "less than that");
  await client.wire.send("ABOR\r\n");
  await client.expect(426);
  await client.expect(226);
  assert.equal((await client.get("RETR f")).toString(), "a\nb");
});

Deno.test("without TLS an upload of a silent client replaces a file after a wait", async () => {
  await using here = await Here.start({ timeouts: { replace: 50 } });
  using client = await anna(here);
  for (const text of ["old", "new"]) await client.put("STOR f", text);
  assert.equal((await client.get("RETR f")).toString(), "new");
});

Deno.test("a server that stops waits for transfers, notifies idle clients, and cuts the rest", async () => {
  await using here = await Here.start();
  using idle = await anna(here);
  using busy = await anna(here);
  using slow = await anna(here);
  using data = await busy.begin("STOR f");
  using still = await slow.begin("STOR g");
  const half = new Uint8Array(100_000);
  await still.send(half);
  await staged(here, half.length);
  const stopped = here.stop(1000);
  await idle.expect(421);
  await data.send("whole");
  data.end();
  await busy.expect(226);
  await busy.expect(421);
  await stopped;
  await slow.gone();
  assert.equal(Deno.readTextFileSync(here.disk("f")), "whole");
  assert.equal((await stat(here.session(), "/home/g")).upload?.offset, half.length);
});

Deno.test("a stalled data connection is cut, and the received bytes are kept", async () => {
  await using here = await Here.start({ timeouts: { transfer: 300 } });
  using client = await anna(here);
  using data = await client.begin("STOR f");
  await data.send("some");
  await client.expect(426);
  assert.equal(await client.ask("SIZE f", 213), "213 4");
  await data.rest();
});

Deno.test("a data connection from another address is closed", async () => {
  await using here = await Here.start();
  using client = await anna(here);
  await client.put("STOR f", "mine");
  const [, port] = /\|(\d+)\|\)/.exec(await client.ask("EPSV", 229))!;
  const thief = await Wire.open(Number(port), "127.0.0.2");
  await thief.rest();
  thief[Symbol.dispose]();
  using data = await Wire.open(Number(port));
  await client.ask("RETR f", 150);
  assert.equal((await data.rest()).toString(), "mine");
  await client.expect(226);
});

Deno.test("unencrypted bytes after AUTH TLS are dropped", async () => {
  await using here = await Here.start();
  using client = await Client.open(here);
  await client.wire.send(`AUTH TLS\r\nUSER anna\r\nPASS ${here.token}\r\n`);
  await client.expect(234);
  await client.beginTls();
  await client.ask("PWD", 530);
  await client.ask("AUTH TLS", 503);
  await client.ask("PROT P", 503);
  await client.login(here.token);
  await client.ask("PBSZ 9", 200);
  for (const [level, code] of [["S", 536], ["E", 536], ["X", 504], ["C", 200], ["P", 200]]) {
    await client.ask(`PROT ${level}`, code as number);
  }
});

Deno.test("if TLS is required, logins and data without it are refused", async () => {
  await using here = await Here.start({ tls: "require" });
  using client = await Client.open(here);
  assert.match(await client.ask("USER anna", 530), /AUTH TLS/);
  await client.ask(`PASS ${here.token}`, 530);
  await client.secure();
  await client.login(here.token);
  using data = await client.passive();
  await client.ask("NLST /", 521);
  data.end();
  await client.ask("PBSZ 0", 200);
  await client.ask("PROT C", 534);
  await client.ask("PROT P", 200);
  client.protect = true;
  assert.deepEqual(await client.lines("NLST /"), ["home", "public"]);
});

Deno.test("the FTPS door needs a TLS handshake first", async () => {
  await using here = await Here.start({
    name: "ftps",
    tls: "require",
    timeouts: { handshake: 500 },
  });
  using plain = await Wire.open(here.port);
  await plain.send("USER anna\r\n");
  assert.doesNotMatch((await plain.rest()).toString(), /220|331/);
  using silent = await Wire.open(here.port);
  await silent.rest();
  const wire = await Wire.open(here.port);
  const socket = await wire.secure({ ALPNProtocols: ["ftp"] });
  assert.equal(socket.alpnProtocol, "ftp");
  using client = new Client(wire);
  await client.expect(220);
  await client.login(here.token);
  client.protect = true; // without PROT on this connection
  assert.deepEqual(await client.lines("NLST"), ["home", "public"]);
  using foreign = await Wire.open(here.port);
  await assert.rejects(() => foreign.secure({ ALPNProtocols: ["http/1.1"] }));
});

/** Waits until the server has received `bytes` of an upload. */
async function staged(here: Here, bytes: number): Promise<void> {
  const folder = `${here.store.settings.data}/staging`;
  const size = () =>
    Array.from(Deno.readDirSync(folder))
      .reduce((sum, { name }) => sum + Deno.statSync(`${folder}/${name}`).size, 0);
  while (size() < bytes) await new Promise((resolve) => setTimeout(resolve, 5));
}
