/**
 * `link`: one file and a tree, up and down, over a link of 100 Mbit/s with 50 ms there and back, beside the peers
 * that are installed. The link is link.c, between two network namespaces, which need root. The benchmark starts
 * itself again at the near end; its servers run at the far end.
 */
import { fileURLToPath } from "node:url";
import { machine } from "../../core/bench/machine.ts";
import { makeFolder, removeFolder, spawn } from "../cleanup.ts";
import { type Contest, type Entry, type Outcome, runContests } from "../peers/contest.ts";
import type { ContestOptions } from "../peers/options.ts";
import { capture } from "../peers/process.ts";
import { Fleet } from "../peers/servers.ts";
import type { Site } from "../peers/site.ts";
import { describeTools, findTools } from "../peers/tools.ts";
import { assertSame, full, makeWorkspace, quick, type Workspace } from "../peers/workspace.ts";
import { makePlace } from "../place.ts";
import { startBench } from "../program.ts";
import { type Client, type Load, loads, ours, peers } from "./clients.ts";

export { loads as linkPartNames };

/** Of one direction. */
const delayMs = 25;
const megabitsPerSecond = 100;

/**
 * @param args the command line's options
 * @returns all samples, for `--json`
 */
export async function benchLink(
  options: ContestOptions,
  args: readonly string[],
): Promise<unknown> {
  const far = Deno.env.get("LINK_FAR");
  if (far === undefined) return await startAtNearEnd(args);
  const site: Site = {
    host: "10.77.0.2",
    command: (program, args) => ["nsenter", [`--net=${far}`, program, ...args]],
  };
  const scale = options.quick
    ? { ...quick, large: 2 ** 24, rounds: 1 }
    : { ...full, large: 2 ** 26, rounds: 3 };
  await using place = await makePlace(options.dir);
  const tools = await findTools();
  const rounds = options.rounds ?? scale.rounds;
  const described = [
    `${machine()}; ${megabitsPerSecond} Mbit/s, ${
      2 * delayMs
    } ms there and back, ${rounds} rounds.`,
    ...await describeTools(tools),
  ];
  options.print(described.map((line) => `- ${line}`).join("\n"));
  options.report("making files");
  await using workspace = await makeWorkspace(place.dir, scale, tools, site);
  const chosen = loads.filter((load) => options.only.length === 0 || options.only.includes(load));
  const outcomes: Outcome[] = await runContests(contests(workspace, chosen), rounds, options);
  for (const note of workspace.notes) options.print(`\n- ${note}`);
  return { machine: described, outcomes };
}

/** Runs this program again at the near end of a new link. @returns its samples */
async function startAtNearEnd(args: readonly string[]): Promise<unknown> {
  const folder = await makeFolder("barge-link-");
  const program = `${folder}/link`;
  const source = fileURLToPath(new URL("./link.c", import.meta.url));
  const { success, stderr } = await capture("gcc", ["-O2", "-o", program, source]);
  if (!success) throw new Error(`gcc: ${stderr}`);
  const again = ["run", "--allow-all", Deno.mainModule, "link"];
  const child = spawn(program, {
    args: [
      ...[`${delayMs}`, `${megabitsPerSecond}`, Deno.execPath(), ...again],
      ...args,
      ...["--json", `${folder}/samples.json`],
    ],
    stdin: "null",
  });
  const { code } = await child.status;
  if (code !== 0) throw new Error(`the benchmark at the near end of the link ended with ${code}`);
  const samples = JSON.parse(await Deno.readTextFile(`${folder}/samples.json`)) as {
    link: unknown;
  };
  await removeFolder(folder);
  return samples.link;
}

async function* contests(
  workspace: Workspace,
  chosen: readonly Load[],
): AsyncGenerator<Contest> {
  const { source, scale, site, work } = workspace;
  await using bench = await startBench({ dir: work, site });
  await using plain = await startBench({ dir: work, site }, "--plaintext");
  await using fleet = await Fleet.start(workspace, "rsync", "sshd", "vsftpd", "rclone");
  for (const { run } of [bench, plain]) {
    await run("put", "-q", "-r", "-j", "8", `${source}/`, "/home/down");
    await run("mkdir", "/home/up");
  }
  const clients = [
    ours("barge", workspace, bench),
    ours("barge --jobs 4", workspace, bench, ["--jobs", "4"]),
    ours("barge --plaintext", workspace, plain),
    ...peers(workspace, fleet),
  ];
  const files = (scale.folders * scale.filesPerFolder).toLocaleString("en-US");
  const titles: Record<Load, string> = {
    large: `One file of ${scale.large / 2 ** 20} MiB`,
    tree: `${files} files of 4 KiB in ${scale.folders} folders`,
  };
  const common = { unit: "s", better: "less", digits: 2 } as const;
  const kind = ({ name }: Client) => name.startsWith("barge") ? "ours" : "peer";
  for (const load of chosen) {
    const down = (client: Client): Entry => ({
      name: client.name,
      kind: kind(client),
      async run(round) {
        const to = `${await workspace.fresh()}/copy`;
        const value = await client.down(load, to);
        await assertSame(`${source}/${load}`, to, round === 0);
        return { value };
      },
    });
    const up = (client: Client, i: number): Entry => ({
      name: client.name,
      kind: kind(client),
      async run(round) {
        const to = `${load}-${i}-${round}`;
        const value = await client.up(load, to);
        await assertSame(`${source}/${load}`, `${client.root}/up/${to}`, round === 0);
        return { value };
      },
    });
    yield { title: `${titles[load]}, down`, entries: clients.map(down), ...common };
    yield { title: `${titles[load]}, up`, entries: clients.map(up), ...common };
  }
}
