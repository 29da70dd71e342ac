/** Tests malformed input and limits: each gets its code, and the connection goes on or closes. */
import assert from "node:assert/strict";
import { Client, Wire } from "./_client.ts";
import { Here } from "./_here.ts";

const bytes = (...parts: (string | number)[]) =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "number" ? [part] : Array.from(new TextEncoder().encode(part))
    ),
  );

Deno.test("a malformed line is refused, and the next line is read", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  await client.wire.send(`STOR ${"x".repeat(100_000)}\r\nNOOP\r\n`);
  assert.match(await client.expect(500), /too long/);
  await client.expect(200);
  for (const line of [bytes("RETR a", 0, "b\r\n"), bytes("RETR ", 0xc3, 0x28, "\r\n")]) {
    await client.wire.send(line);
    await client.expect(501);
  }
  await client.wire.send(bytes(0, 0, 0, "\n\r\n\xff\r\n"));
  await client.expect(501);
  for (let i = 0; i < 2; i++) await client.expect(500);
  await client.ask(`CWD /home/${"a/".repeat(1500)}`, 501);
  await client.ask(`MKD /home/${"n".repeat(256)}`, 501);
  await client.ask("PWD", 257);
});

Deno.test("commands may arrive byte by byte, many at once, or with LF alone", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  for (const letter of "noop\r\n") await client.wire.send(letter);
  await client.expect(200);
  await client.wire.send("NOOP\nPWD\nCWD /home\r\nPWD\r\nMKD d\r\nRMD d\r\nSIZE d\r\n");
  for (const code of [200, 257, 250, 257, 257, 250, 550]) await client.expect(code);
  await client.wire.send("NOOP\r\n".repeat(3000));
  for (let i = 0; i < 3000; i++) await client.expect(200);
});

Deno.test("Telnet options are refused, and interrupts are dropped", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  const [iac, sb, se, will, do_, ip, dm] = [255, 250, 240, 251, 253, 244, 242];
  await client.wire.send(bytes("NO", iac, will, 31, "OP", iac, sb, 24, 1, iac, se, "\r\n"));
  await client.wire.some(3);
  await client.wire.send(bytes(iac, do_, 1, "NOOP\r\n"));
  const line = (await client.wire.line())!;
  assert.ok(line.endsWith("200 Nothing done"), line);
  await client.wire.line();
  // IAC IP, IAC DM; the system keeps one byte of them as urgent data.
  for (const start of [[iac, ip, iac, dm], [iac, ip, dm], [ip], [dm]]) {
    await client.wire.send(bytes(...start, "ABOR\r\n"));
    await client.expect(225);
  }
  // Python's ftplib sends the LF of its ABOR as urgent data.
  await client.wire.send("ABOR\r");
  await client.expect(225);
  await client.wire.send("\nNOOP\r\n");
  await client.expect(200);
});

Deno.test("the server does not connect to an address or port that is not the client's own", async () => {
  await using here = await Here.start({ ftp: { activeLoopback: true } });
  using client = await Client.anna(here);
  for (
    const [line, code] of [
      ["PORT 192,0,2,7,100,1", 501],
      ["PORT 127,0,0,1,0,22", 501],
      ["PORT 127,0,0,1,3", 501],
      ["PORT 127,0,0,256,3,4", 501],
      ["EPRT |1|192.0.2.7|5000|", 501],
      ["EPRT |1|127.0.0.1|22|", 501],
      ["EPRT |1|127.0.0.1|65536|", 501],
      ["EPRT |1|127.0.0.1|-1|", 501],
      ["EPRT |1|1.2.3.4.5|5000|", 501],
      ["EPRT ||||", 501],
      ["EPRT ||", 501],
      ["EPRT |3|127.0.0.1|5000|", 522],
      ["EPRT |2|::1|5000|", 501],
      ["EPSV 2", 522],
      ["EPSV 3", 522],
      ["EPSV ALL", 200],
      ["PASV", 501],
      ["PORT 127,0,0,1,100,1", 501],
    ] as const
  ) await client.ask(line, code);
  using data = await client.passive();
  await client.ask("NLST /", 150);
  assert.equal((await data.rest()).toString(), "home\r\npublic\r\n");
  await client.expect(226);
});

const sixNumbers = (port: number) => `PORT 127,0,0,1,${port >> 8},${port & 255}`;
const extended = (port: number) => `EPRT |1|127.0.0.1|${port}|`;

Deno.test("active mode connects to the client only if it is enabled", async () => {
  await using here = await Here.start({ ftp: { activeLoopback: true } });
  using client = await Client.anna(here);
  for (const form of [sixNumbers, extended]) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await client.ask(form(listener.addr.port), 200);
    const accepting = listener.accept();
    await client.ask("NLST /", 150);
    using conn = await accepting;
    const buffer = new Uint8Array(100);
    const n = await conn.read(buffer);
    assert.equal(new TextDecoder().decode(buffer.subarray(0, n!)), "home\r\npublic\r\n");
    await client.expect(226);
  }
});

Deno.test("active mode connects to this machine only if that is enabled", async () => {
  using service = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let reached = 0;
  const accepting = service.accept().then((conn) => (reached++, conn.close()), () => {});
  for (const ftp of [{}, { active: true }, { active: false }]) {
    await using here = await Here.start({ ftp });
    using client = await Client.anna(here);
    for (const form of [sixNumbers, extended]) {
      await client.ask(form(service.addr.port), 502);
      await client.ask("NLST /", 425);
    }
    assert.doesNotMatch(await client.ask("FEAT", 211), /EPRT/);
  }
  service.close();
  await accepting;
  assert.equal(reached, 0);
});

Deno.test("a transfer without a data connection is refused with 425", async () => {
  await using here = await Here.start({ timeouts: { data: 100 }, ftp: { activeLoopback: true } });
  using client = await Client.anna(here);
  await client.ask("LIST", 425);
  await client.ask("RETR /home/none", 550);
  await client.ask("PASV", 227);
  await client.ask("LIST", 150);
  await client.expect(425);
  await client.ask("LIST", 425);
  await client.ask("PORT 127,0,0,1,4,1", 200);
  await client.ask("STOR /home/f", 150);
  await client.expect(425);
  await client.ask("SIZE /home/f", 550);
});

Deno.test("PASV is refused with 425 until a port is free", async () => {
  const busy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = busy.addr;
  await using here = await Here.start({ ftp: { passive: [port, port] } });
  using client = await Client.anna(here);
  await client.ask("EPSV", 425);
  busy.close();
  for (let i = 0; i < 3; i++) assert.match(await client.ask("EPSV", 229), new RegExp(`${port}`));
  using other = await Client.anna(here);
  await other.ask("EPSV", 425);
  await client.ask("ABOR", 225);
  await other.ask("EPSV", 229);
});

Deno.test("PASV replies with the public address, if one is set", async () => {
  await using here = await Here.start({ ftp: { publicAddress: "192.0.2.7" } });
  using client = await Client.anna(here);
  assert.match(await client.ask("PASV", 227), /\(192,0,2,7,\d+,\d+\)/);
});

Deno.test("a client that does not log in, or is silent, gets 421 and is cut", async () => {
  await using here = await Here.start({ timeouts: { beforeLogin: 700, login: 1500, idle: 2000 } });
  using silent = await Client.open(here);
  using slow = await Client.open(here);
  const talking = (async () => {
    // Commands that need no login do not extend the time to log in.
    while (true) {
      await slow.wire.send("NOOP\r\n");
      const line = await slow.wire.line();
      if (line === undefined || line.startsWith("421")) return line;
    }
  })();
  using known = await Client.anna(here);
  await silent.expect(421);
  await silent.gone();
  assert.match(String(await talking), /^421/);
  await known.expect(421);
  await known.gone();
});

Deno.test("a thousand connections without a login do not keep others out, and are cut", async () => {
  await using here = await Here.start({ timeouts: { beforeLogin: 3000, login: 3000 } });
  const wires: Wire[] = [];
  try {
    for (let i = 0; i < 1000; i += 50) {
      wires.push(...await Promise.all(Array.from({ length: 50 }, () => Wire.open(here.port))));
    }
    using client = await Client.anna(here);
    await client.ask("PWD", 257);
    await Promise.all(wires.map((wire) => wire.rest()));
    await client.ask("PWD", 257);
  } finally {
    for (const wire of wires) wire[Symbol.dispose]();
  }
});

Deno.test("a connection beyond the server's limits gets 421", async () => {
  const limits = { connections: 2, perAddress: 0, perAccount: 1 };
  await using here = await Here.start({ settings: { limits } });
  using first = await Client.anna(here);
  using second = await Client.open(here);
  using third = await Wire.open(here.port);
  assert.match((await third.rest()).toString(), /^421 /);
  await second.ask("USER anna", 331);
  await second.ask(`PASS ${here.token}`, 421);
  await second.gone();
  await first.ask("NOOP", 200);
});
