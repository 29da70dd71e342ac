/** Engines of a test's own, which it stops, freezes, kills and fills: see tests/engines/engines. */
import { type EngineAddresses, enginesOf } from "./contract/store/_shared.ts";

export type Engine = "postgres" | "radosgw";

/** An action on one engine. */
export type EngineVerb =
  | "start"
  | "stop"
  | "restart"
  | "kill"
  | "freeze"
  | "thaw"
  | "fill"
  | "free";

const script = new URL("./engines/engines", import.meta.url).pathname;

export class OwnEngines implements AsyncDisposable {
  readonly addresses: EngineAddresses;
  readonly #dir: string;

  private constructor(dir: string, addresses: EngineAddresses) {
    this.#dir = dir;
    this.addresses = addresses;
  }

  /** @param postgresMiB the size of PostgreSQL's file system, which can then be filled */
  static async start({ postgresMiB }: { postgresMiB?: number } = {}): Promise<OwnEngines> {
    const dir = await Deno.makeTempDir({ prefix: "barge-engines-" });
    const env: Record<string, string> = {};
    if (postgresMiB !== undefined) env.ENGINES_POSTGRES_MIB = `${postgresMiB}`;
    try {
      await run(["start", dir], env);
      const lines = (await Deno.readTextFile(`${dir}/env`)).trim().split("\n");
      const variables = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2)));
      return new OwnEngines(dir, enginesOf(variables)!);
    } catch (error) {
      await end(dir);
      throw error;
    }
  }

  /** Does something to one engine, and waits until it is done. */
  async do(verb: EngineVerb, engine: Engine): Promise<void> {
    await run([verb, this.#dir, engine]);
  }

  /** Runs a command of Ceph. @returns its output */
  async ceph(...command: readonly string[]): Promise<string> {
    return await output(command, { CEPH_CONF: `${this.#dir}/ceph/ceph.conf` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#dir);
  }
}

async function end(dir: string): Promise<void> {
  await run(["stop", dir]);
  await Deno.remove(dir, { recursive: true });
}

async function run(args: readonly string[], env: Record<string, string> = {}): Promise<void> {
  await output([script, ...args], env);
}

async function output(command: readonly string[], env: Record<string, string>): Promise<string> {
  const [program, ...args] = command;
  // Files in place of pipes: the engines keep these open.
  const file = await Deno.makeTempFile({ prefix: "barge-engines-" });
  try {
    const { code } = await new Deno.Command("bash", {
      args: ["-c", 'exec "$@" >"$0" 2>&1', file, program, ...args],
      env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    const text = await Deno.readTextFile(file);
    if (code !== 0) throw new Error(`${command.join(" ")}: ${text}`);
    return text;
  } finally {
    await Deno.remove(file);
  }
}
