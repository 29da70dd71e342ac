/** Runs in a worker of a server, tries what a worker must not do, and reports each outcome. */
import { DatabaseSync } from "node:sqlite";
import { Worker as NodeWorker } from "node:worker_threads";

export interface Probe {
  /** The data directory. */
  readonly data: string;
  /** The port of another program's listener. */
  readonly other: number;
}

/** `allowed`, `refused` by the runtime, `gone` for a missing global, or the failure. */
export type Outcome = Record<string, string>;

class Gone extends Error {}

/** Returns a global, which may have been removed. */
// deno-lint-ignore no-explicit-any
function global(name: string): any {
  const value = (globalThis as unknown as Record<string, unknown>)[name];
  if (value === undefined) throw new Gone(name);
  return value;
}

export async function probe({ data, other }: Probe): Promise<Outcome> {
  const hostname = "127.0.0.1";
  const beyond = (path: string) => ({
    [`read ${path}`]: () => Deno.readTextFileSync(`${data}/${path}`),
    [`look at ${path}`]: () => Deno.lstatSync(`${data}/${path}`),
    [`write ${path}`]: () => Deno.openSync(`${data}/${path}`, { write: true }).close(),
    [`move ${path}`]: () => Deno.renameSync(`${data}/${path}`, `${data}/homes/mine`),
    [`link ${path}`]: () => Deno.linkSync(`${data}/${path}`, `${data}/homes/mine`),
  });
  const within = (folder: string) => ({
    [`write in ${folder}`]: () => Deno.writeTextFileSync(`${data}/${folder}/probe`, "x"),
    [`read in ${folder}`]: () => Deno.readTextFileSync(`${data}/${folder}/probe`),
    [`remove in ${folder}`]: () => Deno.removeSync(`${data}/${folder}/probe`),
  });
  const database = () => {
    const db = new DatabaseSync(`${data}/accounts.db`);
    db.prepare("SELECT count(*) FROM account").get();
    return db;
  };
  const tries: Record<string, () => unknown> = {
    ...within("homes"),
    ...within("public"),
    ...within("staging"),
    ...within("removed"),
    "open the database": () => database().close(),
    ...beyond("tls/key.pem"),
    ...beyond("acme/account"),
    ...beyond("acme/certificate"),
    ...beyond("tls/cert.pem"),
    ...beyond("ssh/ssh_host_ed25519_key"),
    ...beyond("ssh/ssh_host_rsa_key"),
    ...beyond("lock"),
    ...beyond("accounts.db-wal"),
    ...beyond("accounts.db-shm"),
    ...beyond("accounts.db.backup"),
    "read admin-password": () => Deno.readTextFileSync(`${data}/admin-password`),
    "list the data directory": () => Array.from(Deno.readDirSync(data)),
    "write in the data directory": () => Deno.writeTextFileSync(`${data}/probe`, "x"),
    "read /etc/passwd": () => Deno.readTextFileSync("/etc/passwd"),
    "read through ..": () => Deno.readTextFileSync(`${data}/homes/../../../etc/passwd`),
    "read the program": () => Deno.readTextFileSync(new URL(import.meta.url)),
    "list /": () => Array.from(Deno.readDirSync("/")),
    "read /proc/self/environ": () => Deno.readTextFileSync("/proc/self/environ"),
    "write beside the data directory": () => Deno.writeTextFileSync(`${data}-beside`, "x"),
    "link to /etc": () => Deno.symlinkSync("/etc", `${data}/homes/link`),
    "a temporary file": () => Deno.makeTempFileSync(),
    "the environment": () => Deno.env.toObject(),
    "one variable": () => Deno.env.get("HOME"),
    "connect elsewhere": async () => (await Deno.connect({ hostname, port: other })).close(),
    "listen elsewhere": () => Deno.listen({ hostname, port: other }).close(),
    "fetch": () => fetch(`http://${hostname}:${other}/`),
    "run": () => new Deno.Command("/bin/true").outputSync(),
    "kill": () => Deno.kill(Deno.ppid, "SIGCONT"),
    "ffi": () => Deno.dlopen("libc.so.6", {}),
    "host name": () => Deno.hostname(),
    "who runs it": () => Deno.uid(),
    "import from the network": () => import(`http://${hostname}:${other}/x.ts`),
    "import a file": () => import(`${String("file:///etc/passwd")}`),
    "attach a database": () => {
      using db = database();
      db.exec(`ATTACH '${data}-beside.db' AS beside`);
    },
    "vacuum into a file": () => {
      using db = database();
      db.exec(`VACUUM INTO '${data}-beside.db'`);
    },
    "load an extension": () => {
      using db = new DatabaseSync(":memory:", { allowExtension: true });
      db.loadExtension("/nowhere.so");
    },
    "ask for more": async () => {
      const { state } = await Deno.permissions.request({ name: "env" });
      if (state !== "granted") throw new Deno.errors.NotCapable(state);
    },
    "keep a web cache": () => global("caches").open("probe"),
    "make a web cache": () => global("CacheStorage"),
    "local storage": () => global("localStorage").setItem("a", "b"),
    "session storage": () => global("sessionStorage").setItem("a", "b"),
    "a worker of its own": () => new (global("Worker"))("data:,", { type: "module" }).terminate(),
    "read tls/key.pem from a worker of node's": () => inNodeWorker(`${data}/tls/key.pem`),
    "a broadcast": () => new (global("BroadcastChannel"))("x").close(),
    "a web socket": () => new (global("WebSocket"))(`ws://${hostname}:${other}/`),
    "the GPU": () => {
      const { gpu } = navigator as unknown as { gpu?: unknown };
      if (gpu === undefined) throw new Gone("gpu");
    },
    "a key-value store": () => {
      if (!("openKv" in Deno)) throw new Gone("openKv");
    },
    // Last, because a worker may do it: a changed admin password removes this file.
    "remove admin-password": () => Deno.removeSync(`${data}/admin-password`),
  };
  const outcome: Outcome = {};
  for (const [name, attempt] of Object.entries(tries)) {
    try {
      await attempt();
      outcome[name] = "allowed";
    } catch (error) {
      outcome[name] = error instanceof Gone ? "gone" : isRefusal(error) ? "refused" : String(error);
    }
  }
  return outcome;
}

/** Reads a file in a worker with fresh globals. */
async function inNodeWorker(path: string): Promise<void> {
  const code = `import { parentPort } from "node:worker_threads";
    let said = "read";
    try {
      Deno.readTextFileSync(${JSON.stringify(path)});
    } catch (error) {
      said = error.name;
    }
    parentPort.postMessage(said);`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const worker = new NodeWorker(url);
  const said = await new Promise<string>((resolve, reject) => {
    worker.on("message", resolve);
    worker.on("error", reject);
  });
  await worker.terminate();
  if (said !== "read") throw new Deno.errors.NotCapable(said);
}

function isRefusal(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable ||
    /Requires (\w+ access|unscoped)|too many attached databases - max 0/.test(String(error));
}
