/** The native and the HTTP door at Unix sockets. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Home } from "./_barge.ts";
import { documented, host, Nginx } from "./_nginx.ts";
import { has } from "./_sftp.ts";
import { barge, type Server, startServer } from "../_server.ts";

const ignore = Deno.build.os !== "linux";

/** A folder for the files of sockets. */
class Folder implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "barge-sockets-" });
  readonly native = `${this.path}/native.sock`;
  readonly http = `${this.path}/http.sock`;

  start(args: readonly string[] = [], data?: string): Promise<Server> {
    const doors = ["--native", `unix:${this.native}`, "--http", `unix:${this.http}`];
    return startServer({ data, args: [...doors, "--durability", "relaxed", ...args] });
  }

  names(): string[] {
    return Array.from(Deno.readDirSync(this.path), ({ name }) => name).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** Runs curl at a socket. @returns the status and the body */
async function curl(socket: string, ...args: string[]): Promise<{ status: number; body: string }> {
  const output = await new Deno.Command("curl", {
    args: ["-sS", "--max-time", "30", "--unix-socket", socket, "-w", "\n%{http_code}", ...args],
    stdin: "null",
  }).output();
  assert.equal(output.code, 0, new TextDecoder().decode(output.stderr));
  const [, body, status] = /^([^]*)\n(\d+)$/.exec(new TextDecoder().decode(output.stdout))!;
  return { status: Number(status), body };
}

/** Fails unless that many requests succeed, each on a connection of its own. @param more options of curl */
async function checkHealth(socket: string, count: number, ...more: string[]): Promise<void> {
  const output = await new Deno.Command("curl", {
    args: [
      ...["-sS", "--max-time", "30", "--unix-socket", socket, "-H", "Connection: close"],
      ...["-o", "/dev/null", "-w", "%{http_code}\n", ...more],
      `http://localhost/healthz?[1-${count}]`,
    ],
    stdin: "null",
  }).output();
  assert.equal(new TextDecoder().decode(output.stdout), "200\n".repeat(count));
}

const files = "http://localhost/api/v1/files";

Deno.test({ name: "both doors serve at Unix sockets, with several workers", ignore }, async () => {
  await using folder = new Folder();
  await using server = await folder.start(["--workers", "2"]);
  await server.addUser("anna");
  assert.equal(server.facts.native, `unix:${folder.native}`);
  assert.equal(server.facts.http, `unix:${folder.http}`);
  for (const path of [folder.native, folder.http]) {
    assert.equal(Deno.lstatSync(path).mode! & 0o777, 0o660);
  }
  await using home = new Home();
  const bytes = new Uint8Array(randomBytes(3_000_000));
  await Deno.writeFile(`${home.path}/a.bin`, bytes);
  const token = await server.issueToken("anna");
  const env = { BARGE_SERVER: `anna@unix:${folder.native}`, BARGE_PASSWORD: token };
  const put = await home.barge(["put", "a.bin", "/home/"], { env });
  assert.equal(put.code, 0, put.stderr);
  assert.deepEqual(await server.readFile("/home/a.bin"), bytes);
  const got = await home.barge(["get", "/home/a.bin", "b.bin"], { env });
  assert.equal(got.code, 0, got.stderr);
  assert.deepEqual(await Deno.readFile(`${home.path}/b.bin`), bytes);

  // The login is saved under the name of the socket.
  const login = await home.barge(["login", `barge://anna@unix:${folder.native}`], {
    env: { BARGE_PASSWORD: "anna-secret" },
  });
  assert.equal(login.code, 0, login.stderr);
  assert.match(login.stderr, /logged in at barge:\/\/anna@unix:\/.*native\.sock;/);
  const listed = await home.barge(["ls", "/home"]);
  assert.match(listed.stdout, /a\.bin/, listed.stderr);

  // Requests over curl, several on one connection and many connections at once.
  const basic = ["-u", `anna:${token}`];
  await Deno.writeFile(`${home.path}/c.bin`, bytes);
  const sent = await curl(folder.http, ...basic, "-T", `${home.path}/c.bin`, `${files}/home/c.bin`);
  assert.equal(sent.status, 201, sent.body);
  const output = `${home.path}/d.bin`;
  const read = await curl(folder.http, ...basic, "-o", output, `${files}/home/c.bin`);
  assert.equal(read.status, 200);
  assert.deepEqual(await Deno.readFile(output), bytes);
  const parallel = ["--parallel", "--parallel-immediate", "--parallel-max", "40"];
  await checkHealth(folder.http, 40, ...parallel);

  assert.equal(await server.kill("SIGTERM"), 0);
  assert.deepEqual(folder.names(), []);
});

Deno.test(
  { name: "the socket of a dead server is replaced, that of a live one is not", ignore },
  async () => {
    await using folder = new Folder();
    {
      await using first = await folder.start();
      await assert.rejects(
        folder.start(),
        /listen on unix:.*native\.sock: another server listens there/,
      );
      assert.equal((await curl(folder.http, "http://localhost/healthz")).status, 200);
      await first.kill("SIGKILL");
    }
    assert.deepEqual(folder.names(), ["http.sock", "native.sock"]);
    const refused = await barge(["ls", "/home", "--server", `anna@unix:${folder.native}`], {
      env: { BARGE_PASSWORD: "anna-secret" },
    });
    assert.equal(refused.code, 5);
    assert.match(refused.stderr, /nothing listens there/);
    await using second = await folder.start();
    assert.equal((await curl(folder.http, "http://localhost/healthz")).status, 200);
    await second.kill("SIGTERM");
    await Deno.writeTextFile(folder.native, "a file");
    await assert.rejects(folder.start(), /a file that is no socket has this name/);
    assert.equal(await Deno.readTextFile(folder.native), "a file");
  },
);

Deno.test(
  { name: "the refusal of a socket in a missing folder names the folder", ignore },
  async () => {
    await using home = new Home();
    const folder = `${home.path}/missing`;
    for (const door of ["--native", "--http", "--metrics"]) {
      const { code, stderr } = await home.barge(["serve", door, `unix:${folder}/a.sock`]);
      assert.equal(code, 4);
      assert.ok(
        stderr.endsWith(
          `barge: listen on unix:${folder}/a.sock: the folder ${folder} does not exist\n` +
            `(make it for the server's user: sudo install -d -o "$USER" ${folder})\n`,
        ),
        stderr,
      );
    }
  },
);

Deno.test({ name: "FTP and SFTP are refused at a Unix socket", ignore }, async () => {
  const { code, stderr } = await barge(["serve", "--sftp", "unix:/run/barge/sftp.sock"]);
  assert.equal(code, 2);
  assert.match(stderr, /--sftp cannot be a Unix socket/);
});

Deno.test({
  name: "a worker that dies is replaced at the Unix socket, and leaves no descriptor",
  ignore,
}, async () => {
  await using folder = new Folder();
  await using server = await startServer({
    fault: "die-on=now",
    args: ["--http", `unix:${folder.http}`, "--workers", "2"],
  });
  const listening = () => {
    const sockets = Array.from(Deno.readDirSync(`/proc/${server.pid}/fd`), ({ name }) => {
      try {
        return Deno.readLinkSync(`/proc/${server.pid}/fd/${name}`);
      } catch {
        return "";
      }
    });
    const rows = Deno.readTextFileSync("/proc/net/unix").split("\n");
    const inode = rows.find((row) => row.endsWith(folder.http))!.trim().split(/\s+/)[6];
    return sockets.filter((link) => link === `socket:[${inode}]`).length;
  };
  const before = listening();
  assert.equal(before, 3); // of the supervisor and two workers
  for (let i = 0; i < 3; i++) {
    const from = server.stderr().length;
    await Deno.writeTextFile(`${server.data}/removed/now`, "");
    await server.said("died", from);
    await checkHealth(folder.http, 20);
  }
  const deadline = Date.now() + 20_000;
  while (listening() !== before && Date.now() < deadline) {
    await checkHealth(folder.http, 1);
  }
  assert.equal(listening(), before);
});

Deno.test({
  name: "behind nginx at a Unix socket, bans and the log have the client's address",
  ignore: ignore || !has("nginx") || !has("python3"),
}, async () => {
  await using folder = new Folder();
  await using nginx = await Nginx.reserve();
  const [port] = nginx.ports;
  const url = `https://${host}:${port}`;
  const args = ["--trusted-proxy", "unix:", "--public-url", url, "--ban-after", "3"];
  await using server = await folder.start(args);
  await server.addUser("alice");
  await nginx.run(await documented("http://unix:/run/barge/http.sock"), {
    "listen 443 ssl": `listen 127.0.0.1:${port} ssl`,
    "/run/barge/http.sock": folder.http,
    "$proxy_add_x_forwarded_for": "$http_x_test_client",
  });
  const ask = async (client: string, password: string) => {
    const output = await new Deno.Command("curl", {
      args: [
        ...["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", nginx.cert],
        ...["--resolve", `${host}:${port}:127.0.0.1`, "-H", `X-Test-Client: ${client}`],
        ...["-u", `alice:${password}`, `${url}/api/v1/files/home`],
      ],
      stdin: "null",
    }).output();
    return Number(new TextDecoder().decode(output.stdout));
  };
  assert.equal(await ask("192.0.2.1", "alice-secret"), 200);
  for (let i = 0; i < 3; i++) assert.equal(await ask("192.0.2.2", "wrong-secret"), 401);
  assert.equal(await ask("192.0.2.2", "alice-secret"), 401); // banned
  assert.equal(await ask("192.0.2.1", "alice-secret"), 200);
  assert.match(server.stderr(), /192\.0\.2\.2/);
});

Deno.test(
  {
    name: "--socket-mode is the mode of a socket; failed logins there ban no other account",
    ignore,
  },
  async () => {
    await using folder = new Folder();
    await using server = await folder.start(["--socket-mode", "0600", "--ban-after", "3"]);
    assert.equal(Deno.lstatSync(folder.native).mode! & 0o777, 0o600);
    await server.addUser("alice");
    await server.addUser("bob");
    const ask = (name: string, password: string, ...more: string[]) =>
      curl(folder.http, "-u", `${name}:${password}`, ...more, `${files}/home`);
    // Without --trusted-proxy unix: the address that a client states is ignored.
    for (let i = 0; i < 4; i++) {
      const field = `X-Forwarded-For: 192.0.2.${i}`;
      assert.equal((await ask("alice", "wrong-secret", "-H", field)).status, 401);
    }
    assert.equal((await ask("alice", "alice-secret")).status, 401);
    assert.equal((await ask("bob", "bob-secret")).status, 200);
    const bans = await barge(["ban", "list", "--data", server.data, "--json"]);
    assert.match(bans.stdout, /"account":"alice","address":"unix:"/);
    const lifted = await barge(["ban", "lift", "unix:", "--data", server.data]);
    assert.equal(lifted.code, 0, lifted.stderr);
    assert.equal((await ask("alice", "alice-secret")).status, 200);
  },
);
