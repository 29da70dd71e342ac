/**
 * The code that the executable runs, by the runtime's cache of compiled code: it has a row for each module
 * that was loaded. Needs a self-extracting executable, which keeps that cache beside its program.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { executable } from "../_program.ts";
import { barge, startServer } from "../_server.ts";

/** The unpacked executable in a cache folder of its own. */
class Unpacked implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "barge-loaded-" });
  readonly env = { XDG_CACHE_HOME: this.folder, XDG_CONFIG_HOME: this.folder, HOME: this.folder };

  /** Forgets the modules that commands of this kind have loaded so far. */
  async forget(kind: "client" | "server"): Promise<void> {
    await Deno.remove(`${this.#version()}/cache/${kind}`, { recursive: true });
  }

  /** Returns the names of the loaded modules: of the program, or of the runtime, as `ext:NAME`. */
  loaded(kind: "client" | "server"): string[] {
    using cache = new DatabaseSync(`${this.#version()}/cache/${kind}/v8_code_cache_v2`);
    const rows = cache.prepare("SELECT specifier FROM codecache").all();
    return rows.map(({ specifier }) => `${specifier}`.replace(/^file:.*\/program\//, ""));
  }

  /** Returns those of the program's files that contain one of the texts. */
  async holding(texts: readonly string[]): Promise<string[]> {
    const folder = `${this.#version()}/program`;
    const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
    const scripts = names.filter((name) => name.endsWith(".js"));
    const found = await Promise.all(scripts.map(async (name) => {
      const code = await Deno.readTextFile(`${folder}/${name}`);
      return texts.some((text) => code.includes(text)) ? [name] : [];
    }));
    return found.flat();
  }

  #version(): string {
    const versions = `${this.folder}/barge`;
    const [{ name }] = Array.from(Deno.readDirSync(versions)).filter(({ isDirectory }) =>
      isDirectory
    );
    return `${versions}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function isSelfExtracting(path: string): Promise<boolean> {
  using file = await Deno.open(path);
  const start = new Uint8Array(2);
  await file.read(start);
  return new TextDecoder().decode(start) === "#!";
}

Deno.test({
  name:
    "one machine: server and client load no shared storage and no traces, and `put` no module of Node",
  ignore: !executable || !await isSelfExtracting(executable),
  async fn() {
    await using unpacked = new Unpacked();
    const { env, folder } = unpacked;
    const doors = ["native", "http", "ftp", "sftp"].flatMap((door) => [`--${door}`, "127.0.0.1:0"]);
    await using server = await startServer({ env, args: doors });
    await server.addUser("anna");
    await Deno.writeTextFile(`${folder}/password`, "anna-secret\n");
    const run = async (...args: string[]) => {
      const to = { ...env, BARGE_SERVER: `barge://anna@${server.address}` };
      const { code, stderr } = await barge(args, { env: to });
      assert.equal(code, 0, stderr);
    };
    await run("login", `barge://anna@${server.address}`, "--password-file", `${folder}/password`);
    await Deno.writeTextFile(`${folder}/empty`, "");
    await unpacked.forget("client");
    await run("put", "-q", `${folder}/empty`, "/home/empty");
    const put = unpacked.loaded("client");
    assert(put.includes("main.js"));
    assert.deepEqual(put.filter((name) => name.startsWith("ext:deno_node/")), []);

    await run("get", "-q", "/home/empty", `${folder}/back`);
    // A class of aws4fetch, a variable of `postgres`, a table of core/shared; a field and a value of traces.
    const texts = ["AwsClient", "PGAPPNAME", "INSERT INTO piece", "resourceSpans", "traceidratio"];
    const unused = await unpacked.holding(texts);
    assert(unused.length > 1);
    for (const kind of ["client", "server"] as const) {
      const loaded = unpacked.loaded(kind);
      assert(loaded.includes("main.js"));
      assert.deepEqual(loaded.filter((name) => unused.includes(name)), []);
    }
  },
});
