/**
 * Measures the server's memory and descriptors while clients connect, transfer and leave through
 * all doors. A leak shows as a line that keeps rising.
 */
import { fileURLToPath } from "node:url";
import { connect } from "../core/client/connect.ts";
import { get } from "../core/client/get.ts";
import { login } from "../core/client/login.ts";
import { put } from "../core/client/put.ts";
import { parseRemote } from "../core/client/remote.ts";
import { machine } from "../core/bench/machine.ts";
import { spawn } from "./cleanup.ts";
import { familyMemory } from "./process_memory.ts";
import { type Plot, type Point, slope, svg } from "./plot.ts";
import { type Bench, startBench } from "./program.ts";
import { table } from "./table.ts";
import { issueToken } from "./token.ts";

export interface LoopOptions {
  readonly quick: boolean;
  readonly seconds: number | undefined;
  readonly dir: string | undefined;
  readonly report: (text: string) => void;
  readonly print: (text: string) => void;
}

const clients = 8;
/** Sizes of the transferred files in bytes; each client takes them in turn. */
const sizes = [0, 1000, 20_000, 60_000, 70_000, 300_000, 1_000_000, 4_000_000];
const tableRows = 12;

/** Uploads a file through a door, downloads it, and removes it. */
type Visit = (source: string, size: number, name: string) => Promise<void>;

/** @returns samples of each minute (quick: of each second) */
export async function benchLoop(options: LoopOptions): Promise<unknown> {
  const { quick, dir, report, print } = options;
  const seconds = options.seconds ?? (quick ? 30 : 3600);
  const intervalSeconds = quick ? 1 : Math.min(60, seconds / tableRows);
  const doors = ["http", "ftp", "sftp"].flatMap((door) => [`--${door}`, "127.0.0.1:0"]);
  await using bench = await startBench(
    { dir },
    "--workers",
    "2",
    "--max-per-account",
    "0",
    ...doors,
  );
  for (const size of sizes) {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 65_536) {
      crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    }
    await Deno.writeFile(`${bench.folder}/${size}`, bytes);
  }
  const visits = await visitsOf(bench);
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  let done = 0;
  const client = async (number: number) => {
    for (let i = number; elapsed() < seconds; i++) {
      const size = sizes[Math.floor(i / visits.length) % sizes.length];
      await visits[i % visits.length](`${bench.folder}/${size}`, size, `f${number}`);
      done++;
    }
  };
  const all = Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  const samples: { minutes: number; visits: number; mib: number; open: number }[] = [];
  const sample = () => {
    const { pid } = bench.server;
    const open = [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
    samples.push({ minutes: elapsed() / 60, visits: done, mib: familyMemory(pid), open });
    report(`${elapsed().toFixed(0)} of ${seconds} s, ${done} visits`);
  };
  const timer = setInterval(sample, intervalSeconds * 1000);
  try {
    await all;
  } finally {
    clearInterval(timer);
  }
  sample();
  const line = (of: "mib" | "open"): Point[] =>
    samples.map((one) => ({ x: one.minutes, y: one[of] }));
  const plot: Plot = {
    title: `${clients} clients that connect and leave through four doors`,
    x: "minutes",
    y: "MiB, descriptors",
    lines: { "server's memory (PSS)": line("mib"), "open descriptors": line("open") },
  };
  const half = line("mib").slice(samples.length >> 1);
  const step = Math.max(1, Math.floor(samples.length / tableRows));
  const sampled = samples.filter((_, i) => (samples.length - 1 - i) % step === 0);
  const cells = sampled.map((
    { minutes, visits, mib, open },
  ) => [minutes.toFixed(1), String(visits), mib.toFixed(0), String(open)]);
  print(table(plot.title, ["minutes", "visits", "server's MiB", "descriptors"], cells));
  print(`\nslope of the memory in the second half: ${slope(half).toFixed(2)}`);
  const path = new URL(`plots/loop${quick ? ".quick" : ""}.svg`, import.meta.url);
  const note = `${machine()}, ${new Date().toISOString().slice(0, 10)}`;
  await Deno.writeTextFile(fileURLToPath(path), svg(plot, note));
  return { seconds, samples };
}

/** Returns a visit through each door: the native one by barge's client, the others by curl. */
async function visitsOf(bench: Bench): Promise<Visit[]> {
  const { facts, folder } = bench;
  const token = await issueToken(bench);
  const remote = parseRemote(bench.address);
  const native: Visit = async (source, size, name) => {
    using client = await connect(remote);
    await login(client, { token });
    let received = 0;
    const output = {
      write: (bytes: Uint8Array) => Promise.resolve((received += bytes.length, bytes.length)),
    };
    for (
      const { failed, error } of [
        await put(client, [source], `/home/${name}`),
        await get(client, [`/home/${name}`], "-", { output }),
      ]
    ) if (failed > 0) throw error;
    if (received !== size) throw new Error(`native: ${received} of ${size} bytes came back`);
    await client.ask("remove", { path: `/home/${name}` });
    await client.ask("bye", {});
  };
  const curl = async (...args: string[]): Promise<string> => {
    const login = ["-sS", "--fail", "-u", `bench:${token}`];
    const child = spawn("curl", { args: [...login, ...args], stdout: "piped", stderr: "piped" });
    const { success, stdout, stderr } = await child.output();
    if (!success) throw new Error(`curl ${args.at(-1)}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  };
  const byCurl =
    (door: string, url: string, remove: (path: string) => string[], more: string[] = []): Visit =>
    async (source, size, name) => {
      const back = `${folder}/back-${door}-${name}`;
      await curl(...more, "-T", source, `${url}/${name}`);
      const downloaded = await curl(
        ...more,
        "-o",
        back,
        "-w",
        "%{size_download}",
        `${url}/${name}`,
      );
      if (Number(downloaded) !== size) {
        throw new Error(`${door}: ${downloaded} of ${size} bytes came back`);
      }
      await curl(...more, ...remove(name), "-o", "/dev/null");
    };
  const [http, ftp, sftp] = ["http", "ftp", "sftp"].map((door) => `${facts[door]}`);
  return [
    native,
    byCurl("http", `http://${http}/dav/home`, (name) => [
      "-X",
      "DELETE",
      `http://${http}/dav/home/${name}`,
    ]),
    byCurl("ftp", `ftp://${ftp}/home`, (name) => [
      "-l",
      "-Q",
      `-DELE /home/${name}`,
      `ftp://${ftp}/home/`,
    ]),
    byCurl(
      "sftp",
      `sftp://${sftp}/home`,
      (name) => ["-l", "-Q", `rm /home/${name}`, `sftp://${sftp}/home/`],
      ["--insecure"],
    ),
  ];
}
