/** `barge shell` with commands from a pipe, against the real server. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { startServer } from "../_server.ts";
import { Home } from "./_barge.ts";
import { logInto, secret } from "./_logged_in.ts";

type Place = Pick<Awaited<ReturnType<typeof logInto>>, "server" | "home" | "account">;

/** Pipes commands into the shell: as the account whose login is saved, unless the arguments name another one. */
async function shell(
  { server, home, account }: Place,
  input: string | Uint8Array<ArrayBuffer>,
  { args = [], as = account, env = {} }: {
    args?: string[];
    as?: string;
    env?: Record<string, string>;
  } = {},
) {
  const process = home.spawn(["shell", `${as}@${server.address}`, ...args], { env, stdin: "" });
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  // A shell that stops at a failure does not read the rest.
  const sent = new Blob([bytes]).stream().pipeTo(process.stdin).catch(() => {});
  const output = await process.output();
  await sent;
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const stdout = text(output.stdout);
  const records = () => stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  return { code: output.code, stdout, stderr: text(output.stderr), records };
}

/** Returns the second line of a quota. @param counted the entries, as they are printed */
const entries = (counted: string) => `  entries: ${counted} (files, folders and partial uploads)\n`;

Deno.test("shell", async (t) => {
  await using server = await startServer();

  await t.step("shell: uploads, listings, digests and copies, on one connection", async () => {
    await using place = await logInto(server, "alice", "1MB");
    const { home } = place;
    await using bob = await logInto(server, "bob");
    await Deno.writeTextFile(`${home.path}/my file`, "hello\n");
    const first = await shell(
      place,
      // The only file in /public: the cases behind this one publish theirs.
      'put "my file"\npublish my\\ file\nmine\npublic\ndigest "my file" md5\nget "my file" again\n',
      { args: ["--json"] },
    );
    deepStrictEqual([first.code, first.stderr], [0, ""]);
    const sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    const [put, published, mine, shared, digest, got] = first.records();
    deepStrictEqual([put.path, put.local, put.status], ["/home/my file", "my file", "sent"]);
    deepStrictEqual(published, {
      from: "/home/my file",
      to: "/public/my file",
      size: 6,
      sha256,
    });
    deepStrictEqual([mine.path, mine.owner], ["/home/my file", "alice"]);
    deepStrictEqual([shared.path, shared.sha256], ["/public/my file", sha256]);
    deepStrictEqual(digest, {
      path: "/home/my file",
      algorithm: "md5",
      digest: "b1946ac92492d2347c6235b4d2611184",
    });
    deepStrictEqual([got.local, got.status], ["again", "sent"]);
    strictEqual(await Deno.readTextFile(`${home.path}/again`), "hello\n");

    const second = await shell(bob, "claim 'my file' mine\nget mine -\nleft\n");
    deepStrictEqual([second.code, second.stderr], [0, ""]);
    strictEqual(second.stdout, "hello\nbob: 6 B used, no limit\n" + entries("1"));
  });

  await t.step("shell: working folders on both sides", async () => {
    await using place = await logInto(server, "bella", "1MB");
    await Deno.mkdir(`${place.home.path}/sub`);
    await Deno.writeTextFile(`${place.home.path}/sub/a`, "a");
    const lines =
      "mkdir -p x/y\ncd x\npwd\nlcd sub\nput a\nput a y\nmv a b\ncd ..\nls -r\nrm -r x\nls";
    const { code, stdout, stderr } = await shell(place, lines);
    deepStrictEqual([code, stderr], [0, ""]);
    strictEqual(stdout, "/home/x\nx/\nx/b\nx/y/\nx/y/a\n");
  });

  await t.step("shell: cat, cp, lls and commands of this machine", async () => {
    await using place = await logInto(server, "carla", "1MB");
    const { home } = place;
    await Deno.mkdir(`${home.path}/d`);
    await Deno.writeTextFile(`${home.path}/d/a`, "hello\n");
    const lines = "put -r d\ncat d/a\ncp d/a b\ncp -r d e\nls -r\nlls d\nclear\n!cat d/a; pwd\n";
    const { code, stdout, stderr } = await shell(place, lines);
    strictEqual(code, 0, stderr);
    strictEqual(stdout, `hello\nb\nd/\nd/a\ne/\ne/a\na\nhello\n${home.path}\n`);
    const failed = await shell(place, "cp b nothing/\n!exit 3\n! \ncp d f\n", {
      args: ["--keep-going"],
    });
    deepStrictEqual([failed.code, failed.stdout], [1, ""]);
    match(failed.stderr, /^barge: cp .*nothing\/: there is no such folder$/m);
    match(failed.stderr, /^barge: !: no command follows the !$/m);
  });

  await t.step("shell: help lists aliases, and * and ? are literal in names", async () => {
    await using place = await logInto(server, "dora", "1MB");
    const { code, stdout, stderr } = await shell(place, "help\nmenu\nrm *.txt\n");
    strictEqual(code, 4);
    match(stdout, /^ {2}left .*\(also quota, df\)$/m);
    match(stdout, /^ {2}4 {2}fetch a file$/m);
    match(stderr, /^barge: rm \/home\/\*\.txt: .*\n\(\* and \? have no special meaning/m);
  });

  await t.step("shell: claim replaces an existing file only with -f", async () => {
    await using place = await logInto(server, "emma", "1MB");
    await Deno.writeTextFile(`${place.home.path}/a`, "mine");
    await Deno.writeTextFile(`${place.home.path}/b`, "everyone's");
    const start = "put a\nput b /public/a\n";
    const refused = await shell(place, `${start}claim a\n`);
    strictEqual(refused.code, 14);
    match(refused.stderr, /^barge: claim \/home\/a: it exists already$/m);
    const forced = await shell(place, "claim -f a\nget a -\n");
    deepStrictEqual([forced.code, forced.stdout], [0, "everyone's"]);
  });

  await t.step("shell: a claim is charged like any other write", async () => {
    await using place = await logInto(server, "fiona", "1MB");
    await using betty = await logInto(server, "betty", "3");
    await Deno.writeTextFile(`${place.home.path}/four`, "1234");
    strictEqual((await shell(place, "put four /public/\n")).code, 0);
    const { code, stdout } = await shell(betty, "claim four\nls\nleft\n", {
      args: ["--keep-going"],
    });
    deepStrictEqual([code, stdout], [
      12,
      "betty: 0 B used, 3 B left of 3 B\n" + entries("0 of 100,000"),
    ]);
  });

  await t.step("shell: the first failure ends a script with its code", async () => {
    await using place = await logInto(server, "gina", "1MB");
    const { code, stdout, stderr } = await shell(place, "# first\n\npwd\nget nothing\npwd\n");
    deepStrictEqual([code, stdout], [4, "/home\n"]);
    match(stderr, /^barge: .*\/home\/nothing: /m);
    match(stderr, /^\(stopped at line 4: get nothing\)$/m);
  });

  await t.step("shell: --keep-going ends with the exit code that the failures share", async () => {
    await using place = await logInto(server, "hanna", "1MB");
    const options = { args: ["--keep-going"] };
    const same = await shell(place, "get nothing\nstat nothing\npwd\n", options);
    deepStrictEqual([same.code, same.stdout], [4, "/home\n"]);
    const mixed = await shell(place, "get nothing\nfly\nls 'x\npwd", options);
    deepStrictEqual([mixed.code, mixed.stdout], [1, "/home\n"]);
    match(mixed.stderr, /^barge: fly: there is no such command$/m);
    const left = await shell(place, "pwd\r\nexit\r\npwd\r\n", options);
    deepStrictEqual([left.code, left.stdout], [0, "/home\n"]);
  });

  await t.step("shell: invalid lines and logins fail", async () => {
    await using place = await logInto(server, "irma", "1MB");
    const bytes = await shell(place, new Uint8Array([0x6c, 0x73, 0xff, 0x0a]));
    strictEqual(bytes.code, 2);
    const wrong = await shell(place, "pwd\n", { env: { BARGE_PASSWORD: "wrong" } });
    deepStrictEqual([wrong.code, wrong.stdout], [11, ""]);
    const env = { BARGE_PASSWORD: await server.issueToken("irma") };
    deepStrictEqual((await shell(place, "pwd\n", { env })).stdout, "/home\n");
    const other = await shell(place, "pwd\n", { as: "nobody", env });
    strictEqual(other.code, 11);
    match(other.stderr, /the token is of another account: irma/);
    const none = await shell(place, "pwd\n", { as: "nobody", env: { BARGE_PASSWORD: "" } });
    deepStrictEqual([none.code, none.stdout], [11, ""]);
    match(none.stderr, /a password is needed/);
    strictEqual((await shell(place, "cd nowhere\n")).code, 4);
    strictEqual((await shell(place, "lcd nowhere\n")).code, 3);
    strictEqual((await shell(place, "put - x\n")).code, 2);
    strictEqual((await shell(place, "grow plenty\n")).code, 2);
    strictEqual((await shell(place, "publish /public/x\n")).code, 2);
  });

  await t.step("shell: a connection that was lost is made again", async () => {
    await using place = await logInto(server, "julia", "1MB");
    const { home } = place;
    await using relay = new Relay(server.address);
    const process = home.spawn(["shell", `julia@${relay.address}`], {
      env: secret,
      stdin: "",
    });
    const writer = process.stdin.getWriter();
    const reader = process.stdout.getReader();
    const ask = async () => {
      await writer.write(new TextEncoder().encode("left\n"));
      return new TextDecoder().decode((await reader.read()).value);
    };
    const before = await ask();
    relay.cut();
    strictEqual(await ask(), before);
    await writer.close();
    strictEqual((await reader.read()).done, true);
    match(await new Response(process.stderr).text(), /^\(the connection was lost: .*\)$/m);
    strictEqual((await process.status).code, 0);
  });
});

Deno.test("shell: register, grow and passwd, without a password on any line", async () => {
  await using server = await startServer({ args: ["--allow-register", "--max-quota", "1MB"] });
  await using home = new Home();
  const place = { server, home, account: "carol" };
  const env = { BARGE_PASSWORD: "carol-secret" };
  const carol = { env, args: ["--register", "--quota", "10kB", "--json"] };
  const made = await shell(place, "grow 20kB\ngrow 1GB\n", carol);
  strictEqual(made.code, 6);
  deepStrictEqual(made.records().map(({ account, limit }) => [account, limit]), [
    ["carol", 20_000],
  ]);
  strictEqual((await shell(place, "left\n", carol)).code, 14);

  const changed = await shell(place, "passwd\nregister dave 5kB\n", {
    env: { ...env, BARGE_NEW_PASSWORD: "new secret" },
    args: ["--json"],
  });
  deepStrictEqual([changed.code, changed.records()], [0, [
    { account: "carol" },
    { account: "dave", limit: 5000 },
  ]]);
  strictEqual((await shell(place, "left\n", { env })).code, 11);
  const dave = await shell(place, "left\n", {
    as: "dave",
    env: { BARGE_PASSWORD: "new secret" },
  });
  strictEqual(dave.stdout, "dave: 0 B used, 5.00 kB left of 5 kB\n" + entries("0 of 100,000"));
});

/** Passes bytes on between a port of its own and the server, until `cut` is called. */
class Relay implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #pairs: [Deno.TcpConn, Deno.TcpConn][] = [];
  readonly #pipes: Promise<void>[] = [];
  readonly #accepting: Promise<void>;

  constructor(server: string) {
    const [hostname, port] = server.split(":");
    this.#accepting = (async () => {
      for await (const near of this.#listener) {
        const far = await Deno.connect({ hostname, port: Number(port) });
        this.#pairs.push([near, far]);
        for (const [from, to] of [[near, far], [far, near]]) {
          this.#pipes.push(from.readable.pipeTo(to.writable).catch(() => {/* it was cut */}));
        }
      }
    })();
  }

  get address(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  cut(): void {
    for (const conn of this.#pairs.splice(0).flat()) {
      try {
        conn.close();
      } catch { /* it is closed already */ }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#accepting.catch(() => {/* it is closed */});
    await Promise.all(this.#pipes);
  }
}
