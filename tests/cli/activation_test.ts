/** Sockets that the service manager opens: systemd's socket activation (sd_listen_fds(3)). */
import assert from "node:assert/strict";
import { Activation } from "./_activation.ts";
import { Home } from "./_barge.ts";
import { makeData } from "./_data.ts";
import { has } from "./_sftp.ts";
import { barge } from "../_server.ts";
import { bargeCommand, caches } from "../_program.ts";

const ignore = Deno.build.os !== "linux" || !has("python3");
const args = ["--durability", "relaxed", "--workers", "1", "--native", "off"];

/** Returns a data directory in the home that needs no first admin. */
async function dataIn(home: Home): Promise<string> {
  const data = `${home.path}/data`;
  await makeData(data);
  return data;
}

/** Sends one request on a connection of its own. @returns the status */
async function ask(port: number): Promise<number> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  await conn.write(new TextEncoder().encode(request));
  const text = await new Response(conn.readable).text();
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
}

Deno.test(
  { name: "a restart refuses no client of the service manager's socket", ignore },
  async () => {
    await using home = new Home();
    await using activation = await Activation.open([""], "http");
    const [port] = activation.ports;
    const data = await dataIn(home);
    const facts = await activation.start(data, args);
    assert.equal(facts.http, `127.0.0.1:${port}`);

    const stopped = new AbortController();
    const outcomes = new Map<string, number>();
    const client = async () => {
      while (!stopped.signal.aborted) {
        const outcome = await ask(port).then(String, (error) => String(error));
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: 4 }, client);
    for (let i = 0; i < 3; i++) {
      assert.equal(await activation.end("SIGTERM"), 0);
      const before = outcomes.get("200") ?? 0;
      await activation.start(data, args);
      while ((outcomes.get("200") ?? 0) < before + 20) await ask(port);
    }
    stopped.abort();
    await Promise.all(clients);
    assert.deepEqual([...outcomes.keys()], ["200"]);
  },
);

Deno.test(
  { name: "each inherited socket goes to the door of its name or its address", ignore },
  async () => {
    await using home = new Home();
    const socket = `${home.path}/native.sock`;
    await using activation = await Activation.open([socket, "", ""], "barge.socket:http:ftp");
    const [, http, ftp] = activation.ports;
    const doors = ["--native", `unix:${socket}`, "--http", "127.0.0.1:1", "--ftp", "127.0.0.1:2"];
    const two = ["--durability", "relaxed", "--workers", "2", ...doors];
    const facts = await activation.start(await dataIn(home), two);
    assert.equal(facts.native, `unix:${socket}`);
    assert.deepEqual([facts.http, facts.ftp], [`127.0.0.1:${http}`, `127.0.0.1:${ftp}`]);
    assert.equal(await ask(http), 200);
    const ping = await barge(["ping", `unix:${socket}`]);
    assert.equal(ping.code, 0, ping.stderr);
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: ftp });
    const greeting = new Uint8Array(64);
    const length = await conn.read(greeting);
    assert.match(new TextDecoder().decode(greeting.subarray(0, length ?? 0)), /^220 /);
    // The service manager keeps the socket: the server does not remove its file.
    assert.equal(await activation.end("SIGTERM"), 0);
    assert.ok(Deno.lstatSync(socket).isSocket);
  },
);

Deno.test({ name: "doors at inherited sockets have TLS", ignore }, async () => {
  await using home = new Home();
  await using activation = await Activation.open(["", ""], "native:http");
  const [native, http] = activation.ports;
  await activation.start(await dataIn(home), ["--workers", "1", "--tls"]);
  const ping = await home.barge(["ping", `127.0.0.1:${native}`, "--tls"]);
  assert.equal(ping.code, 0, ping.stderr);
  const { code, stderr } = await new Deno.Command("curl", {
    args: ["-sS", "--fail", "--insecure", `https://127.0.0.1:${http}/healthz`],
    stdin: "null",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
});

Deno.test({ name: "an inherited socket that no door takes is refused", ignore }, async () => {
  await using home = new Home();
  const attempt = async (names: string) => {
    const start = `import os, socket, sys
s = socket.create_server(("127.0.0.1", 0))
if s.fileno() != 3: os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES=sys.argv[1])
os.execvp(sys.argv[2], sys.argv[2:])`;
    const serve = bargeCommand(["serve", "--data", `${home.path}/data`, ...args]);
    const { code, stderr } = await new Deno.Command("python3", {
      args: ["-c", start, names, ...serve],
      stdin: "null",
    }).output();
    return { code, stderr: new TextDecoder().decode(stderr) };
  };
  const unknown = await attempt("web");
  assert.equal(unknown.code, 2, unknown.stderr);
  assert.match(unknown.stderr, /descriptor 3: no door is at 127\.0\.0\.1:\d+ \(web\)/);
  const off = await attempt("ftps");
  assert.equal(off.code, 2, off.stderr);
  assert.match(off.stderr, /descriptor 3: its name is ftps, and --ftps is off/);
});

Deno.test(
  { name: "programs that the server runs inherit none of its sockets", ignore },
  async () => {
    await using home = new Home();
    await using activation = await Activation.open([`${home.path}/http.sock`], "http");
    const hook = `${home.path}/hook`;
    await Deno.writeTextFile(
      hook,
      `#!/bin/sh\n{ ls -l /proc/self/fd; env; } > ${home.path}/seen.tmp\nmv ${home.path}/seen.tmp ${home.path}/seen\n`,
      { mode: 0o755 },
    );
    const doors = ["--http", "127.0.0.1:1", "--check-upload", hook];
    await activation.start(await dataIn(home), [...args, ...doors]);
    const { code, stderr } = await new Deno.Command("curl", {
      args: [
        ...["-sS", "--fail", "--unix-socket", `${home.path}/http.sock`, "-u", "anna:anna-secret"],
        ...["-T", hook, "http://localhost/api/v1/files/home/a"],
      ],
      stdin: "null",
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const seen = await Deno.readTextFile(`${home.path}/seen`);
    assert.doesNotMatch(seen, /LISTEN_/);
    assert.doesNotMatch(seen, /socket:/);
  },
);

Deno.test({
  name: "systemd-socket-activate starts the server with its sockets",
  ignore: ignore || !has("systemd-socket-activate"),
}, async () => {
  await using home = new Home();
  const http = `${home.path}/http.sock`;
  const process = new Deno.Command("systemd-socket-activate", {
    args: [
      ...["--listen", http, "--fdname=http", "-E", "HOME", "-E", "PATH"],
      ...Object.keys(caches).flatMap((name) => ["-E", name]),
      ...bargeCommand(["serve", "--data", await dataIn(home), ...args]),
    ],
    env: { ...caches, HOME: home.path },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    const reader = process.stderr.getReader();
    await reader.read(); // it listens
    void (async () => {
      while (!(await reader.read()).done);
    })();
    const { stdout, stderr } = await new Deno.Command("curl", {
      args: ["-sS", "--max-time", "60", "--unix-socket", http, "http://localhost/readyz"],
      stdin: "null",
    }).output();
    assert.match(new TextDecoder().decode(stdout), /ok|ready/i, new TextDecoder().decode(stderr));
  } finally {
    process.kill("SIGTERM");
    await process.status;
  }
});

Deno.test({
  name: "--print-socket prints a unit that systemd accepts",
  ignore: ignore || !has("systemd-analyze"),
}, async () => {
  await using home = new Home();
  const doors = ["--native", "0.0.0.0:7171", "--http", "unix:/run/barge/http.sock"];
  const socket = await barge(["serve", "--print-socket", ...doors]);
  assert.equal(socket.code, 0, socket.stderr);
  assert.match(
    socket.stdout,
    /ListenStream=0\.0\.0\.0:7171\nListenStream=\/run\/barge\/http\.sock\n.*\nSocketMode=0660\n/,
  );
  const unit = await barge(["serve", "--print-unit", ...doors]);
  assert.match(unit.stdout, /\nRuntimeDirectory=barge\nRuntimeDirectoryPreserve=yes\n/);
  await Deno.writeTextFile(`${home.path}/barge.socket`, socket.stdout);
  const service = unit.stdout.replace(/ExecStart=\S+/, "ExecStart=/bin/true");
  await Deno.writeTextFile(`${home.path}/barge.service`, service);
  const { code, stderr } = await new Deno.Command("systemd-analyze", {
    args: ["verify", "--man=no", `${home.path}/barge.socket`, `${home.path}/barge.service`],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const named = await barge(["serve", "--print-socket", "--native", "box.example:7171"]);
  assert.equal(named.code, 2);
  assert.match(named.stderr, /systemd cannot listen at box\.example:7171/);
});
