/** Names in the line protocols of the SFTP door: scp, sha256sum, and the line of `ls -l`. */
import { sessionOf } from "../../_session.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import fc from "fast-check";
import { Type } from "../../../../core/door/sftp/packet.ts";
import { sumLine } from "../../../../core/protocol/printable.ts";
import { mkdir } from "../../../../core/session/mkdir.ts";
import { receive } from "../../../../core/upload/receive.ts";
import type { Session } from "../../../../core/login/session.ts";
import { SftpHere } from "./_here.ts";

/** Names with characters that end lines, and names like lines of scp. */
const letters = ["\n", "\r", "\x1b[2J", '"', "\\", "\x01", " ", "\nC0644 4 evil", "\nE\nD0755 0 x"];
const names = fc.array(fc.constantFrom(...letters, "a", "b", "é"), { minLength: 1, maxLength: 5 })
  .map((parts) => `n${parts.join("")}`);
const hostile = Array.from(new Set(fc.sample(names, { numRuns: 40, seed: 1 })));
// deno-lint-ignore no-control-regex
const controls = /[\x00-\x1f\x7f]/;

async function put(session: Session, path: string, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  const request = { path, size: null, modified: null, overwrite: "always" as const };
  const upload = await receive(session, request);
  await upload.write(bytes);
  await upload.commit(null, true);
}

/** Runs a command, and answers its output by `answer`. */
async function run(
  here: SftpHere,
  command: string,
  answer: (channel: Duplex) => void = () => {},
): Promise<{ out: Buffer; err: string; code: number }> {
  const client = await here.ssh();
  const pieces: Buffer[] = [];
  let err = "";
  const code = await new Promise<number>((resolve, reject) => {
    client.exec(command, (error: Error | undefined, channel: Duplex & { stderr: Duplex }) => {
      if (error) return reject(error);
      channel.on("data", (bytes: Buffer) => {
        pieces.push(bytes);
        answer(channel);
      });
      channel.stderr.on("data", (bytes: Buffer) => err += bytes);
      let ended = -1;
      channel.on("exit", (code: number) => ended = code);
      channel.on("close", () => resolve(ended));
      answer(channel);
    });
  });
  client.end();
  return { out: Buffer.concat(pieces), err, code };
}

/** Reads the output of `scp -f` as OpenSSH's client does. */
function parseScp(bytes: Buffer): { files: string[]; errors: string[] } {
  const [files, errors, folders]: string[][] = [[], [], []];
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] === 0) {
      at++; // behind a file's bytes
      continue;
    }
    const end = bytes.indexOf(0x0a, at);
    assert.ok(end > at, `an unended line: ${bytes.subarray(at)}`);
    const line = bytes.subarray(at, end).toString();
    assert.ok(end - at < 2047, `a line of ${end - at} bytes, which OpenSSH takes for two`);
    at = end + 1;
    if (/^T\d+ 0 \d+ 0$/.test(line)) continue;
    if (line.startsWith("\x01")) {
      errors.push(line.slice(1));
    } else if (line === "E") {
      assert.ok(folders.pop() !== undefined, "an end of no folder");
    } else {
      const [, type, size, name] = /^([CD])0\d{3} (\d+) ([^]+)$/.exec(line)!;
      const path = [...folders, name].join("/");
      if (type === "D") folders.push(name);
      else {
        files.push(`${path}=${bytes.subarray(at, at + Number(size))}`);
        at += Number(size);
      }
    }
  }
  assert.deepEqual(folders, []);
  return { files, errors };
}

Deno.test("no name of a file or folder adds a line to scp's output", async () => {
  await using here = await SftpHere.start();
  const session = sessionOf(here.store, "anna");
  await mkdir(session, { verb: "mkdir", path: "/home/t", parents: false });
  await mkdir(session, { verb: "mkdir", path: "/home/u", parents: false });
  for (const name of hostile) {
    await put(session, `/home/t/${name}`, "file");
    await mkdir(session, { verb: "mkdir", path: `/home/u/${name}`, parents: false });
    await put(session, `/home/u/${name}/in it`, "file");
  }
  await put(session, "/home/t/zz", "last");
  const yes = (channel: Duplex) => void channel.write(Buffer.alloc(4096));
  for (const letters of ["rf", "rpf"]) {
    const { out, code } = await run(here, `scp -${letters} t u`, yes);
    const { files, errors } = parseScp(out);
    const sent = hostile.filter((name) => !name.includes("\n"));
    assert.deepEqual(
      files.toSorted(),
      [
        ...sent.map((name) => `t/${name}=file`),
        ...sent.map((name) => `u/${name}/in it=file`),
        "t/zz=last",
      ].sort(),
    );
    assert.equal(errors.length, 2 * (hostile.length - sent.length));
    for (const error of errors) {
      assert.match(error, /^barge: \/home\/.*: its name has a line feed; use sftp/);
      assert.doesNotMatch(error, controls);
    }
    assert.equal(code, 1);
  }
});

Deno.test("scp's lines on failures stay below the length at which OpenSSH cuts them in two", async () => {
  await using here = await SftpHere.start();
  const session = sessionOf(here.store, "anna");
  let deep = "/home";
  for (let i = 0; i < 11; i++) {
    deep += `/${"C0644 4 evil".padEnd(250, "é").slice(0, 130)}`;
    await mkdir(session, { verb: "mkdir", path: deep, parents: false });
  }
  await put(session, `${deep}/\n`, "file");
  const { out } = await run(here, "scp -rf /home", (channel) => channel.write(Buffer.alloc(4096)));
  assert.equal(parseScp(out).errors.length, 1);
  const { out: missing } = await run(
    here,
    `scp -f '${deep}/none'`,
    (channel) => void channel.write(Buffer.alloc(64)),
  );
  assert.equal(parseScp(missing).errors.length, 1);
});

Deno.test("sha256sum writes names as GNU coreutils do; a failure adds no line", async () => {
  await using here = await SftpHere.start();
  const session = sessionOf(here.store, "anna");
  for (const name of hostile) await put(session, `/home/${name}`, name);
  const args = hostile.map((name) => `'${name}'`).join(" ");
  const { out, code } = await run(here, `sha256sum ${args}`);
  const digest = (name: string) => createHash("sha256").update(name).digest("hex");
  assert.equal(out.toString(), hostile.map((name) => `${sumLine(digest(name), name)}\n`).join(""));
  assert.equal(code, 0);
  const { err } = await run(here, `sha256sum -- 'no\nsuch\x1b[2J' '~x\n'`);
  assert.match(err, /^barge: no\\nsuch\\e\[2J: .*\nbarge: ~x\\n: .*\n$/);
  const { err: home } = await run(here, "md5sum ~eve\x1b]0;x\x07/f");
  assert.match(home, /^barge: .*\n$/);
  assert.doesNotMatch(home.trimEnd(), controls);
});

Deno.test("sumLine writes the line of GNU sha256sum", async () => {
  const dir = await Deno.makeTempDir({ prefix: "barge-sum-" });
  try {
    for (const name of hostile) await Deno.writeTextFile(`${dir}/${name}`, name);
    const { stdout } = await new Deno.Command("sha256sum", { args: hostile, cwd: dir }).output();
    const digest = (name: string) => createHash("sha256").update(name).digest("hex");
    const lines = hostile.map((name) => `${sumLine(digest(name), name)}\n`);
    assert.equal(new TextDecoder().decode(stdout), lines.join(""));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("the line of `ls -l` and the words of a failure hold no control characters", async () => {
  await using here = await SftpHere.start();
  const session = sessionOf(here.store, "anna");
  for (const name of hostile) await put(session, `/home/${name}`, name);
  await using peer = await here.peer();
  const lines: string[] = [];
  const listed = await peer.names("/home", (line) => lines.push(line));
  assert.deepEqual([...listed.keys()].sort(), [".", "..", ...hostile].sort());
  for (const line of lines) assert.doesNotMatch(line, controls);
  const missing = peer.ask(Type.REMOVE, (p) => p.text("/home/no\n\x1b[2J/such"));
  await assert.rejects(missing, (error: Error) => !controls.test(error.message));
});
