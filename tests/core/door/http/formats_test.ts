/** Tests zip and tar at the limits of their formats, with other programs. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { tarEnd, tarHeader, tarPadding } from "../../../../core/door/http/tar.ts";
import { ZipWriter } from "../../../../core/door/http/zip.ts";
import { installed } from "./dav/_tools.ts";

const encoder = new TextEncoder();
const ignore = !await installed("unzip") || !await installed("zip");

/** Writes the parts of an archive in order. */
class Target implements Disposable {
  readonly path: string;
  readonly #dir = Deno.makeTempDirSync({ prefix: "barge-zip-" });
  readonly #file: Deno.FsFile;
  readonly #waiting: Uint8Array[] = [];

  constructor() {
    this.path = `${this.#dir}/a.zip`;
    this.#file = Deno.openSync(this.path, { write: true, createNew: true });
  }

  write(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
  }

  /** Skips bytes, so that the file has a hole. */
  skip(bytes: number): void {
    this.flush();
    this.#file.seekSync(bytes, Deno.SeekMode.Current);
  }

  flush(): void {
    const bytes = Buffer.concat(this.#waiting.splice(0));
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
  }

  [Symbol.dispose](): void {
    this.#file.close();
    Deno.removeSync(this.#dir, { recursive: true });
  }
}

function run(command: string, ...args: string[]): string {
  const { code, stdout, stderr } = new Deno.Command(command, { args }).outputSync();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(code, 0, `${command} ${args.join(" ")}: ${said}`);
  return said;
}

function small(zip: ZipWriter, target: Target, name: string, text: string): void {
  const bytes = encoder.encode(text);
  target.write(zip.begin({ name, type: "file", size: bytes.length, modified: 0 }));
  zip.add(bytes);
  target.write(bytes);
  target.write(zip.end());
}

const python = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    print(len(z.infolist()), z.infolist()[0].file_size, z.read(z.namelist()[-1]).decode())
`;

/** @returns members, size of the first, text of the last */
function readByPython(path: string): string {
  return run("python3", "-c", python, path).trim();
}

Deno.test("a zip of any number of files is valid", { ignore }, () => {
  for (const count of [1, 65_535, 65_536]) {
    using target = new Target();
    const zip = new ZipWriter();
    for (let i = 0; i < count; i++) small(zip, target, `f${i}`, i === count - 1 ? "last" : "");
    for (const part of zip.finish()) target.write(part);
    target.flush();
    assert.equal(readByPython(target.path), `${count} ${count === 1 ? 4 : 0} last`);
    if (count === 65_535) assert.match(run("unzip", "-tq", target.path), /No errors/);
    else assert.match(run("zip", "-T", target.path), /OK/); // it runs unzip
  }
});

Deno.test("a zip with a file of more than 4 GiB and later files is valid", { ignore }, () => {
  for (const size of [2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32 + 5]) {
    using target = new Target();
    const zip = new ZipWriter();
    target.write(zip.begin({ name: "large", type: "file", size, modified: 0 }));
    const zeros = new Uint8Array(2 ** 26);
    for (let left = size; left > 0; left -= zeros.length) {
      const piece = zeros.subarray(0, Math.min(left, zeros.length));
      zip.add(piece);
      target.skip(piece.length);
    }
    target.write(zip.end());
    small(zip, target, "behind", "behind it");
    for (const part of zip.finish()) target.write(part);
    target.flush();
    assert.equal(readByPython(target.path), `2 ${size} behind it`);
    // Debian's unzip misreads the record after a file of exactly this size.
    if (size === 2 ** 32 - 1) continue;
    assert.match(run("unzip", "-tq", target.path, "behind"), /No errors/);
    assert.match(run("unzip", "-lv", target.path), new RegExp(`\\b${size} +Stored`));
  }
});

Deno.test("a tar with a file of more than 8 GiB and later files is valid", () => {
  for (const size of [8 ** 11 - 1, 8 ** 11, 9 * 2 ** 30 + 1]) {
    using target = new Target();
    const type = "file" as const;
    target.write(tarHeader({ name: "large", type, size, modified: 0 }));
    target.skip(size);
    target.write(tarPadding(size));
    const name = `${"deep/".repeat(60)}ümläut`;
    target.write(tarHeader({ name, type, size: 512, modified: 0 }));
    target.write(new Uint8Array(512).fill(65));
    target.write(tarEnd);
    target.flush();
    const listed = run("tar", "--quoting-style=literal", "-tvf", target.path);
    assert.match(listed, new RegExp(` ${size} .* large\\n.* 512 .* ${name}\\n$`));
  }
});
