/** Tests which client may use a data connection, and how many ports one account may hold. */
import assert from "node:assert/strict";
import { makeVerifier } from "../../../../core/protocol/verifier.ts";
import { stat } from "../../../../core/session/stat.ts";
import { Client, Wire } from "./_client.ts";
import { Here } from "./_here.ts";

/** A client with TLS on both connections. */
async function secured(here: Here, token = here.token, name = "anna"): Promise<Client> {
  const client = await Client.open(here);
  await client.secure();
  await client.login(token, name);
  await client.private();
  await client.ask("TYPE I", 200);
  return client;
}

async function addEve(here: Here): Promise<string> {
  const verifier = await makeVerifier("token", "unused");
  const { id } = here.store.accounts.add({ name: "eve", role: "user", limit: null, verifier });
  return (await here.store.tokens.issue(id, "test")).token!;
}

Deno.test("a data connection that another client took moves no byte with TLS, and gets a failure", async () => {
  await using here = await Here.start();
  using client = await secured(here);
  using eve = await secured(here, await addEve(here), "eve");
  await client.put("STOR /home/f", "mine");
  const { session } = eve.wire;
  for (const theirs of [{}, { session, servername: eve.servername }]) {
    for (
      const line of ["RETR /home/f", "NLST /home", "STOR /home/f", "STOR /home/new", "APPE /home/f"]
    ) {
      using data = await client.passive(); // as an attacker who connected first
      await client.ask(line, 150);
      await data.secure(theirs).catch(() => {/* the server may cut it in the handshake */});
      void data.send("theirs").catch(() => {});
      assert.match(await client.expect(522), /did not resume the control connection's TLS session/);
      assert.equal((await data.rest()).toString(), "", line);
    }
  }
  await client.ask("SIZE /home/new", 550);
  assert.equal((await client.get("RETR /home/f")).toString(), "mine");
  // APPE keeps the bytes of the file, and none of the attacker's.
  assert.equal((await stat(here.session(), "/home/f")).upload?.offset, "mine".length);
});

Deno.test("a data connection may resume a TLS session again, also one of an earlier connection", async () => {
  await using here = await Here.start();
  using first = await secured(here);
  await first.put("STOR /home/f", "mine");
  let { session } = first.wire;
  const { servername } = first;
  for (let i = 0; i < 40; i++) {
    using data = await first.passive();
    await first.ask("RETR /home/f", 150);
    const socket = await data.secure({ session, servername });
    assert.equal((await data.rest()).toString(), "mine");
    await first.expect(226);
    if (i % 2 === 0) session = socket.getSession();
  }
  const wire = await Wire.open(here.port);
  using later = new Client(wire);
  await later.expect(220);
  await later.ask("AUTH TLS", 234);
  await wire.secure({ session, servername });
  await later.login(here.token);
  await later.private();
  using data = await later.passive();
  await later.ask("RETR /home/f", 150);
  await data.secure({ session, servername });
  await later.expect(226);
});

Deno.test("without session reuse a data connection may begin a new TLS session", async () => {
  await using here = await Here.start({ ftp: { sessionReuse: "never" } });
  using client = await secured(here);
  using data = await client.passive();
  await client.ask("NLST /", 150);
  await data.secure();
  assert.equal((await data.rest()).toString(), "home\r\npublic\r\n");
  await client.expect(226);
});

Deno.test("the first connection from the client's address takes the port, others change nothing", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  const [, port] = /\|(\d+)\|\)/.exec(await client.ask("EPSV", 229))!;
  for (let i = 0; i < 3; i++) {
    using stranger = await Wire.open(Number(port), `127.0.0.${i + 2}`);
    await stranger.rest();
  }
  using data = await Wire.open(Number(port));
  const closed = () =>
    Wire.open(Number(port)).then((wire) => wire[Symbol.dispose](), () => "closed");
  while (await closed() !== "closed") await client.ask("NOOP", 200);
  await client.ask("NLST /", 150);
  assert.equal((await data.rest()).toString(), "home\r\npublic\r\n");
  await client.expect(226);
});

Deno.test("a port needs a login, and is chosen at random", async () => {
  await using here = await Here.start();
  using client = await Client.open(here);
  for (const line of ["PASV", "EPSV", "EPSV ALL", "PORT 127,0,0,1,9,9"]) {
    await client.ask(line, 530);
  }
  await client.login(here.token);
  const ports: number[] = [];
  for (let i = 0; i < 12; i++) {
    const [, port] = /\|(\d+)\|\)/.exec(await client.ask("EPSV", 229))!;
    ports.push(Number(port));
    await client.ask("ABOR", 225);
  }
  assert.ok(new Set(ports).size > 8, ports.join(" "));
  const steps = new Set(ports.slice(1).map((port, i) => port - ports[i]));
  assert.ok(steps.size > 6, ports.join(" "));
});

Deno.test("one account can't hold all data ports, and unused ports are given back", async () => {
  await using here = await Here.start({
    ftp: { passive: [23_600, 23_615] },
    timeouts: { unused: 1000 },
  });
  const token = await addEve(here);
  const clients: Client[] = [];
  try {
    for (let i = 0; i < 4; i++) clients.push(await Client.anna(here));
    for (const client of clients.slice(0, 2)) await client.ask("EPSV", 229);
    for (const client of clients.slice(2)) {
      assert.match(await client.ask("EPSV", 425), /holds too many data ports/);
    }
    const eve = await Client.open(here, undefined);
    clients.push(eve);
    await eve.login(token, "eve");
    await eve.ask("EPSV", 229);
    // A transfer frees its port when it begins; a port without a connection expires.
    using data = await clients[0].passive();
    await clients[0].ask("NLST /", 150);
    await data.rest();
    await clients[0].expect(226);
    await clients[2].ask("EPSV", 229);
    while (/^425/.test(await clients[3].ask("EPSV", 425, 229))) await clients[3].ask("NOOP", 200);
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
});
