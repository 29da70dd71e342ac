import assert from "node:assert/strict";
import { Home } from "./_barge.ts";

/** A server, and the first line that it printed. */
async function start(home: Home, args: readonly string[]) {
  const child = home.spawn([...args, "--json"]);
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let text = "";
  const until = async (word: string) => {
    while (!text.includes(word)) {
      const { value, done } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
  };
  await until("\n");
  const { address, fingerprint } = JSON.parse(text.slice(0, text.indexOf("\n")));
  return {
    address,
    fingerprint,
    until,
    signal: (name: Deno.Signal) => child.kill(name),
    /** Ends it. @returns what it printed, a line an object, and its exit code */
    async end() {
      child.kill("SIGTERM");
      await until("\0");
      const [{ code }] = await Promise.all([child.status, new Response(child.stderr).text()]);
      return { code, events: text.trim().split("\n").map((line) => JSON.parse(line)) };
    },
  };
}

Deno.test("echo-tcp answers in upper case, and its client prints it and the times", async () => {
  await using home = new Home();
  const server = await start(home, ["echo-tcp", "127.0.0.1:0"]);
  const { code, stdout, stderr } = await home.barge(
    ["echo-tcp", "--connect", server.address, "-v"],
    { stdin: "one\nzwölf\nno end" },
  );
  assert.deepEqual([code, stdout], [0, "ONE\nZWöLF\nNO END"]);
  assert.match(stderr, /^answer 1 in [\d.]+ ms\nanswer 2 in [\d.]+ ms\n$/);
  server.signal("SIGUSR1");
  await server.until('"counters"');
  const { code: end, events } = await server.end();
  assert.equal(end, 0);
  assert.deepEqual(
    events.map(({ event }) => event),
    ["ready", "opened", "closed", "counters", "end"]
      .filter((name) => name !== "opened"),
  );
  assert.deepEqual([events.at(-1).accepted, events.at(-1).received], [1, 17]);
});

Deno.test("echo-tcp returns megabytes from a pipe, also over TLS", async () => {
  await using home = new Home();
  const servers = await Promise.all([
    start(home, ["echo-tcp", "127.0.0.1:0", "--raw", "-q"]),
    start(home, ["echo-tcp", "127.0.0.1:0", "--raw", "-q", "--tls"]),
  ]);
  const stdin = "0123456789abcde\n".repeat(60_000);
  for (const [i, { address, fingerprint }] of servers.entries()) {
    const tls = i === 1 ? ["--pin", fingerprint] : [];
    const { code, stdout, stderr } = await home.barge(
      ["echo-tcp", "--connect", address, ...tls],
      { stdin },
    );
    assert.equal(code, 0, stderr);
    assert(stdout === stdin, `${stdout.length} of ${stdin.length}`);
  }
  for (const server of servers) assert.equal((await server.end()).code, 0);
});

Deno.test("echo-udp answers each line, and the client reports lost lines", async () => {
  await using home = new Home();
  const server = await start(home, ["echo-udp", "127.0.0.1:0"]);
  const ask = ["echo-udp", "--connect", server.address];
  const { code, stdout } = await home.barge([...ask, "--timeout", "10000"], {
    stdin: "one\n\ntwo",
  });
  assert.deepEqual([code, stdout], [0, "ONE\n\nTWO\n"]);
  const { events } = await server.end();
  assert.deepEqual([events.at(-1).datagrams, events.at(-1).answered], [3, 3]);
  const lost = await home.barge([...ask, "--timeout", "50"], { stdin: "one\n" });
  assert.deepEqual([lost.code, lost.stdout], [5, ""]);
  assert.match(lost.stderr, /1 sent, 0 answered, 1 lost/);
});

Deno.test("the echo commands report each failure with its reason and exit code", async () => {
  await using home = new Home();
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const at = `127.0.0.1:${taken.addr.port}`;
  const cases: [string[], number, RegExp][] = [
    [["echo-tcp", at], 7, /address already in use/i],
    [["echo-tcp", "--connect", "127.0.0.1:1"], 5, /nothing listens[^]*barge echo-tcp/],
    [["echo-tcp", "a", "--connect", at], 2, /takes the place/],
    [["echo-tcp", "somewhere"], 2, /is not HOST:PORT/],
    [["echo-tcp", "--tls-key", "k"], 2, /go together/],
    [["echo-tcp", "--tls-cert", "c", "--tls-key", "k"], 7, /c: no such file/i],
  ];
  const outcomes = await Promise.all(cases.map(([line]) => home.barge(line)));
  for (const [i, { code, stderr }] of outcomes.entries()) {
    assert.match(stderr, cases[i][2]);
    assert.equal(code, cases[i][1], stderr);
  }
  taken.close();
});
