/** `barge bench transfer`: measures uploads and downloads by the real commands. */
import { BargeError } from "../../core/error.ts";
import { formatSeconds } from "../../core/bench/local/draw.ts";
import { median, type Subject, timed, type Way } from "../../core/bench/local/measure.ts";
import { counted } from "../_term/progress.ts";
import { command, flag, value, valueOr } from "../_term/command.ts";
import { note } from "../_term/out.ts";
import { count, plain, size } from "../_term/value.ts";
import { type OwnServer, self, startSelf } from "../_bench/self.ts";
import { runSubjects } from "../_bench/local.ts";

export default command({
  options: {
    server: value(
      plain("barge://NAME@HOST:PORT"),
      "The server to measure. Default: two of barge's own, with and without syncs",
    ),
    size: valueOr(size(), 256 * 2 ** 20, "Bytes of the large file. Default: 256MiB"),
    files: valueOr(count("N", 1, 100_000), 1000, "How many small files. Default: 1000"),
    repetitions: valueOr(count("N", 1, 100), 3, "How many runs. Default: 3"),
    quick: flag("16 MiB, 100 files, one run"),
  },
  about:
    `Uploads and downloads one large file and a folder of small ones (4 KiB each) by the commands
    put and get, including their start: with the default check of SHA-256 at both ends, and without it
    at this end (--no-verify; files of up to 256 KiB are always checked). With --quick most of each
    row is the client's own start, which is measured, too.

    Without --server the command starts two servers with a temporary data directory: one that syncs
    before it acknowledges, the default, and one with --durability relaxed. With --server it logs in with
    the saved login or BARGE_PASSWORD, and writes to a folder of /home that it removes at the end.`,
  examples: [
    ["barge bench transfer --quick", "a first impression"],
    ["barge bench transfer --server barge://alice@box --size 1GiB", "over the network"],
  ],
  async run({ server, quick, json, ...choice }, { signal }) {
    const { size, files, repetitions } = quick
      ? { size: 16 * 2 ** 20, files: 100, repetitions: 1 }
      : choice;
    const folder = await Deno.makeTempDir({ prefix: "barge-bench-" });
    try {
      await makeFiles(folder, size, files);
      await using targets = new Targets(folder);
      if (server === undefined) await targets.start();
      else targets.add("server", server);
      if (!json && server === undefined) note("no server named: measuring two of barge's own");
      const start = await startOfClient(signal);
      return await runSubjects(subjects(targets, size, files, start), {
        repetitions,
        json,
        signal,
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/**
 * Returns the start time of a client that does nothing, in seconds. Each measurement includes it.
 */
async function startOfClient(signal: AbortSignal): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) times.push(await timed(() => runBarge(["--version"], {}, signal)));
  return median(times);
}

/** @param start the start time of the client, in seconds */
function subjects(targets: Targets, size: number, files: number, start: number): Subject[] {
  const mebibytes = `${(size / 2 ** 20).toLocaleString("en-US", { maximumFractionDigits: 1 })} MiB`;
  const subject = (title: string, args: (to: string, run: number) => string[]): Subject => ({
    name: "transfer",
    title,
    scale: `the client's own start, ${formatSeconds(start)} here, is in each row`,
    ways: targets.ways(args),
  });
  const { folder } = targets;
  return [
    subject(`put of one file of ${mebibytes}`, (to) => ["put", `${folder}/large`, `${to}/large`]),
    subject(`get of that file`, (to, run) => ["get", `${to}/large`, `${folder}/back${run}`]),
    subject(
      `put of ${counted(files, "file")} of 4 KiB`,
      (to, run) => ["put", "-r", `${folder}/small/`, `${to}/small${run}`],
    ),
    subject(
      `get of those files`,
      (to, run) => ["get", "-r", `${to}/small1/`, `${folder}/smallback${run}`],
    ),
  ];
}

async function makeFiles(folder: string, size: number, files: number): Promise<void> {
  const block = crypto.getRandomValues(new Uint8Array(65_536));
  using large = await Deno.open(`${folder}/large`, { write: true, createNew: true });
  for (let left = size; left > 0;) {
    left -= await large.write(left < block.length ? block.subarray(0, left) : block);
  }
  await Deno.mkdir(`${folder}/small`);
  for (let i = 0; i < files; i++) {
    await Deno.writeFile(`${folder}/small/${i}`, block.subarray(0, 4096));
  }
}

interface Target {
  readonly name: string;
  readonly is: string;
  readonly env: Readonly<Record<string, string>>;
}

class Targets implements AsyncDisposable {
  readonly folder: string;
  readonly #all: Target[] = [];
  readonly #own: OwnServer[] = [];
  readonly #to = `/home/barge-bench-${crypto.randomUUID()}`;
  #made = new Set<Target>();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Adds a server, as two targets: with and without the integrity check at this end. */
  add(name: string, server: string, is = server, more: Record<string, string> = {}): void {
    const env = { ...more, BARGE_SERVER: server };
    const unchecked = { ...env, BARGE_NO_VERIFY: "1" };
    this.#all.push({ name, is, env });
    this.#all.push({ name: `${name}, unchecked`, is: `${is}, --no-verify`, env: unchecked });
  }

  async start(): Promise<void> {
    const password = `${this.folder}/password`;
    await Deno.writeTextFile(password, "bench-secret\n", { mode: 0o600 });
    const servers = [
      { durability: "full", name: "synced", is: "synced before it is acknowledged" },
      { durability: "relaxed", name: "relaxed", is: "--durability relaxed" },
    ];
    for (const { durability, name, is } of servers) {
      const data = `${this.folder}/${durability}`;
      const user = ["user", "add", "bench", "--password-file", password, "--quota", "none"];
      await runBarge([...user, "--data", data], {});
      const doors = ["--native", "127.0.0.1:0", "--http", "off"];
      const own = await startSelf(
        ["serve", "--json", "--data", data, "--unconfined", ...doors].concat(
          ["--log-level", "error", "--durability", durability],
        ),
      );
      this.#own.push(own);
      const server = `barge://bench@${own.ready.native}`;
      const config = { XDG_CONFIG_HOME: this.folder };
      // A client with a password would derive a key from it in each measurement.
      await runBarge(["login", server], { ...config, BARGE_PASSWORD_FILE: password });
      this.add(name, server, is, config);
    }
  }

  /**
   * @param args returns the command for a folder of the server and the number of the run, from 1
   */
  ways(args: (to: string, run: number) => string[]): Way[] {
    return this.#all.map((target, i) => {
      let run = 0;
      return {
        name: target.name,
        is: target.is,
        run: async (signal) => {
          const to = `${this.#to}/${i}`;
          if (!this.#made.has(target)) await runBarge(["mkdir", "-p", to], target.env, signal);
          this.#made.add(target);
          // Each target has its own names at both ends.
          const line = args(to, ++run).map((arg) =>
            arg.startsWith(`${this.folder}/`) && /back\d+$/.test(arg) ? `${arg}.${i}` : arg
          );
          const began = performance.now();
          await runBarge([...line, "-q"], target.env, signal);
          return (performance.now() - began) / 1000;
        },
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#own.length === 0) {
      const [any] = this.#made;
      if (any) await runBarge(["rm", "-r", this.#to], any.env);
    }
    for (const own of this.#own) await own[Symbol.asyncDispose]();
  }
}

async function runBarge(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<void> {
  const child = self(args, { env, stdin: "null", stdout: "null", stderr: "piped", signal });
  const { code, stderr } = await child.output();
  if (code === 0 || signal?.aborted) return;
  const text = new TextDecoder().decode(stderr).trim();
  const why = /^barge: (.*)$/m.exec(text)?.[1] ?? text;
  throw new BargeError(code === 5 ? "unavailable" : "refused", why, { op: "bench transfer" });
}
