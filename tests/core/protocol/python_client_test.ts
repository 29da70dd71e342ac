/**
 * An independent client in Python, written from PROTOCOL.md alone, against the real server: it fails
 * if the text and the program differ.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Accounts } from "../../../core/local/account/accounts.ts";
import { Tokens } from "../../../core/local/account/tokens.ts";
import { Database } from "../../../core/local/database/database.ts";
import { bargeCommand } from "../../_program.ts";

const root = new URL("../../../", import.meta.url);
const script = fileURLToPath(new URL("fixtures/client.py", root));
const python = await runs("python3", ["--version"]);
const skipped = python ? "" : " (skipped: there is no python3 here)";

/** Returns whether a program can be run here. */
async function runs(program: string, args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output())
      .success;
  } catch {
    return false;
  }
}

/** Milliseconds until a program that hangs is ended. */
const limit = 180_000;

/** Runs a program to its end, with text on its stdin. */
async function run(program: string, args: string[], stdin = "", env: Record<string, string> = {}) {
  const options = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  const child = new Deno.Command(program, {
    args,
    env,
    cwd: root,
    signal: AbortSignal.timeout(limit),
    ...options,
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin)).catch(() => {/* it did not want it */});
  await writer.close().catch(() => {/* it has ended */});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function barge(args: string[], stdin = ""): Promise<string> {
  const [command, ...words] = bargeCommand(args);
  const { code, stdout, stderr } = await run(command, words, stdin);
  assert.equal(code, 0, `barge ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** Returns the first line that a program prints. */
async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0];
}

/** Runs `use` with a server that has one account, and a token of that account. */
async function serving(
  use: (address: string, folder: string, token: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const data = join(folder, "data");
    await barge(
      ["user", "add", "alice", "--password-stdin", "--quota", "20MB", "--data", data],
      "café ☃ long\n",
    );
    const args = ["serve", "--data", data, "--native", "127.0.0.1:0", "--http", "off", "--json"];
    const [command, ...words] = bargeCommand(args);
    const child = new Deno.Command(command, {
      args: words,
      cwd: root,
      signal: AbortSignal.timeout(limit),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const said = new Response(child.stderr).text();
    try {
      const line = await firstLine(child.stdout);
      assert.match(line, /"ready"/, line || `the server did not start: ${await said}`);
      await use(JSON.parse(line).native, folder, await issueToken(data));
    } finally {
      try {
        child.kill("SIGTERM");
      } catch { /* it has ended */ }
      await child.status;
      await said;
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function issueToken(data: string): Promise<string> {
  using db = new Database(data);
  return (await new Tokens(db).issue(new Accounts(db).get("alice").id, "test")).token;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

Deno.test({
  name: `python client: its login gives the vectors' proofs${skipped}`,
  ignore: !python,
  fn: async () => {
    const { code, stdout, stderr } = await run("python3", [
      script,
      "login-vectors",
      fileURLToPath(new URL("fixtures/login.json", root)),
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, '{"vectors": 5}\n');
  },
});

Deno.test({
  name: `python client: log in, put, list, get, resume${skipped}`,
  ignore: !python,
  fn: () =>
    serving(async (address, folder, token) => {
      const at = (name: string) => join(folder, name);
      // A login with a token needs no scrypt.
      const call = (args: string[], secret: Record<string, string> = { BARGE_TOKEN: token }) =>
        run("python3", [script, address, "alice", ...args], "", secret);
      const ok = async (
        args: string[],
        secret?: Record<string, string>,
      ): Promise<Record<string, unknown>[]> => {
        const { code, stdout, stderr } = await call(args, secret);
        assert.equal(code, 0, `client.py ${args.join(" ")}: ${stderr}`);
        return stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
      };
      const fails = async (kind: string, args: string[], secret?: Record<string, string>) => {
        const { code, stderr } = await call(args, secret);
        assert.equal(code, 1, stderr);
        assert.equal(JSON.parse(stderr).kind, kind, stderr);
      };

      const small = new TextEncoder().encode("hello, world\n");
      const large = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7 + (i >> 9)) & 0xff);
      await Deno.writeFile(at("small"), small);
      await Deno.writeFile(at("large"), large);
      await Deno.writeFile(at("empty"), new Uint8Array());

      await fails("unauthenticated", ["list", "/home"], { BARGE_PASSWORD: "wrong" });
      await ok(["list", "/home"], { BARGE_PASSWORD: "cafe\u0301 ☃ long" });
      for (const [file, bytes] of [["small", small], ["empty", new Uint8Array()]] as const) {
        const [sent] = await ok(["put", at(file), `/home/${file}`]);
        assert.deepEqual(
          { size: sent.size, sha256: sent.sha256, replaced: sent.replaced },
          { size: bytes.length, sha256: sha256(bytes), replaced: false },
        );
      }

      // A waiting put that is cut: no file but a partial upload, then the whole file.
      await ok(["cut", at("large"), "/home/ü large", "1000000"]);
      await fails("not-found", ["get", "/home/ü large", at("none")]);
      const [half] = await ok(["stat", "/home/ü large"]);
      assert.equal(half.entry, null);
      const { offset } = half.upload as { offset: number };
      assert.ok(offset > 0 && offset <= 1_000_000, `${offset}`);
      const [resumed] = await ok(["put", at("large"), "/home/ü large"]);
      assert.equal(resumed.offset, offset);
      assert.equal(resumed.sha256, sha256(large));
      const [chunked] = await ok(["put-chunked", at("large"), "/public/chunked"]);
      assert.equal(chunked.sha256, sha256(large));

      const listed = await ok(["list", "/home"]);
      assert.deepEqual(
        listed.map(({ name, type, size }) => [name, type, size]),
        [["empty", "file", 0], ["small", "file", 13], ["ü large", "file", 3_000_000]],
      );

      // A part of it is downloaded already; the digest is that of the whole file.
      await Deno.writeFile(at("back"), large.subarray(0, 1_234_567));
      const [got] = await ok(["get", "/home/ü large", at("back")]);
      assert.equal(got.offset, 1_234_567);
      assert.equal(sha256(await Deno.readFile(at("back"))), sha256(large));
      await Deno.writeFile(at("other"), new Uint8Array(1000));
      await fails("digest", ["get", "/home/ü large", at("other")]);

      await fails("over-quota", ["put", await sized(at("big"), 20_000_001), "/home/big"]);
      await fails("usage", ["put", at("small"), "/home/../x"]);
      await fails("no-directory", ["put", at("small"), "/home/none/x"]);
      await fails("not-found", ["stat", "/home/big"]);
    }),
});

/** Returns a file of zeros. */
async function sized(path: string, size: number): Promise<string> {
  await Deno.writeFile(path, new Uint8Array());
  await Deno.truncate(path, size);
  return path;
}
