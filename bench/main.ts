// deno-lint-ignore-file no-console
/**
 * `deno task bench`: measures barge and its peers, with servers and clients as processes of their
 * own on loopback. bench/README.md describes the benchmarks.
 *
 *     deno task bench                            peers: beside vsftpd, nginx, rsync, OpenSSH ...
 *     deno task bench start growth memory loop sync distance link
 *     deno task bench cluster --barge dist/barge
 *     deno task bench peers --quick --only big,tree --dir /var/tmp --json peers.json
 *
 * Tables go to stdout, progress to stderr.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { machine } from "../core/bench/machine.ts";
import { benchDistance } from "./distance.ts";
import { benchGrowth, growthNames } from "./growth/main.ts";
import { benchCluster, clusterPartNames } from "./cluster/main.ts";
import { clearUp, clearUpOnSignals } from "./cleanup.ts";
import { benchLink, linkPartNames } from "./link/main.ts";
import { benchLoop } from "./loop.ts";
import { benchMemory } from "./memory.ts";
import { benchPeers, partNames } from "./peers/main.ts";
import { useProgram } from "./program.ts";
import { benchStart } from "./start.ts";
import { benchSync } from "./sync.ts";

const names = ["peers", "start", "growth", "memory", "loop", "sync", "distance", "link", "cluster"];
const help = `deno task bench [${names.join("|")}]... [OPTIONS]
  --quick         less work: minutes, and rough figures
  --full          growth: up to 8 GiB, 100,000 files in a folder, 2,000 clients
  --shared        growth: on one node of storage that machines share, on engines that it starts
  --only A,B      peers: ${partNames.join(", ")}; growth: ${growthNames.join(", ")};
                  cluster: ${clusterPartNames.join(", ")}; link: ${linkPartNames.join(", ")}
  --seconds N     loop: duration. Default: an hour
  --rounds N      runs of each entry
  --size MIB      peers, memory, cluster: size of the large file. Default: 1024
  --dir DIR       folder for the files. Default: peers: a tmpfs of its own if it can mount one,
                  or /dev/shm; others: the system's temporary folder
  --barge FILE    measure this executable. Default: this checkout, in Deno
  --json FILE     also write all samples to FILE`;

const { values, positionals } = parse();
if (values.help) {
  console.log(help);
  Deno.exit(0);
}
const selected = positionals.length > 0 ? positionals : ["peers"];
const unknown = selected.find((name) => !names.includes(name));
if (unknown) refuse(`there is no ${unknown}; there are ${names.join(", ")}`);
const only = values.only?.split(",") ?? [];
const unknownPart = only.find((name) =>
  ![...partNames, ...growthNames, ...clusterPartNames, ...linkPartNames].includes(name)
);
if (unknownPart) refuse(`--only: there is no ${unknownPart}`);
if (values.barge) useProgram(await Deno.realPath(values.barge));

const options = {
  quick: values.quick,
  full: values.full,
  shared: values.shared,
  only,
  dir: values.dir,
  rounds: count("rounds"),
  seconds: count("seconds"),
  size: values.size === undefined ? undefined : count("size")! * 2 ** 20,
  report,
  print: (text: string) => {
    report("");
    console.log(text);
  },
};
const runs: Record<string, () => Promise<unknown>> = {
  peers: () => benchPeers(options),
  growth: () => benchGrowth(options),
  memory: () => benchMemory(options),
  loop: () => benchLoop(options),
  start: () => benchStart(options),
  distance: () => benchDistance(options),
  link: () => benchLink(options, Deno.args.filter((arg) => !positionals.includes(arg))),
  cluster: () => benchCluster(options),
  sync: async () => options.print(await benchSync()),
};
clearUpOnSignals();
const results: Record<string, unknown> = {};
if (selected.some((name) => !["peers", "link", "cluster"].includes(name))) console.log(machine());
for (const name of selected) {
  console.log(`\n## ${name}\n`);
  results[name] = await runs[name]() ?? null;
}
if (values.json) await Deno.writeTextFile(values.json, JSON.stringify(results, null, 1) + "\n");
// A failed contest may have left files open.
await clearUp();
Deno.exit(0);

/** Shows a line of progress if stderr is a terminal. */
function report(text: string): void {
  if (!process.stderr.isTTY) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text.slice(0, 100)}`));
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: "boolean", default: false },
        full: { type: "boolean", default: false },
        shared: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
        only: { type: "string" },
        rounds: { type: "string" },
        seconds: { type: "string" },
        size: { type: "string" },
        dir: { type: "string" },
        barge: { type: "string" },
        json: { type: "string" },
      },
    });
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function count(name: "rounds" | "seconds" | "size"): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,5}$/.test(text)) refuse(`--${name} takes a whole number`);
  return Number(text);
}

function refuse(why: string): never {
  console.error(`bench: ${why}\n${help}`);
  Deno.exit(2);
}
