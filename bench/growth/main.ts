/**
 * Times against sizes and numbers: for each subject a table with slopes, and a plot in bench/plots.
 */
import { fileURLToPath } from "node:url";
import { machine } from "../../core/bench/machine.ts";
import { findEngines } from "../cluster/engines.ts";
import { type Plot, slope, svg } from "../plot.ts";
import { growAccounts } from "./accounts.ts";
import { growClients } from "./clients.ts";
import { growFolder } from "./folder.ts";
import { growLedger } from "./ledger.ts";
import type { SampleOptions } from "./sampling.ts";
import { localServers, sharedServers } from "./server.ts";
import { growSize } from "./size.ts";

const subjects: Readonly<Record<string, (sampling: SampleOptions) => Promise<Plot>>> = {
  size: growSize,
  folder: growFolder,
  accounts: growAccounts,
  clients: growClients,
  ledger: growLedger,
};
export const growthNames = Object.keys(subjects);

export interface GrowthOptions {
  readonly quick: boolean;
  readonly full: boolean;
  /** On storage that machines share, on engines of its own, and not on a data directory. */
  readonly shared: boolean;
  readonly only: readonly string[];
  readonly rounds: number | undefined;
  readonly dir: string | undefined;
  readonly report: (text: string) => void;
  readonly print: (text: string) => void;
}

export async function benchGrowth(options: GrowthOptions): Promise<Record<string, Plot>> {
  const { quick, full, shared, only, dir, report, print } = options;
  await using stack = new AsyncDisposableStack();
  const start = shared ? sharedServers(stack.use(await findEngines(dir)), dir) : localServers(dir);
  const sampling: SampleOptions = {
    size: full ? "full" : quick ? "quick" : "default",
    rounds: options.rounds ?? (quick ? 1 : 3),
    start,
    report,
  };
  const plots: Record<string, Plot> = {};
  const folder = fileURLToPath(new URL("../plots", import.meta.url));
  const note = `${machine()}, ${new Date().toISOString().slice(0, 10)}`;
  for (const [name, grow] of Object.entries(subjects)) {
    if (only.length > 0 && !only.includes(name)) continue;
    const plot = plots[name] = await grow(sampling);
    print("\n" + plotTable(plot));
    // A quick run does not replace the committed plot.
    const path = `${folder}/${name}${shared ? ".shared" : ""}${quick ? ".quick" : ""}.svg`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(path, svg(plot, note));
  }
  return plots;
}

/** Returns a table with a row for each x, a column for each line, and the slopes below. */
function plotTable({ title, x, y, lines }: Plot): string {
  const names = Object.keys(lines);
  const all = [...new Set(Object.values(lines).flatMap((points) => points.map((p) => p.x)))]
    .sort((a, b) => a - b);
  const at = (name: string, x: number) => {
    const value = lines[name].find((point) => point.x === x)?.y;
    return value === undefined ? "" : String(Number(value.toPrecision(3)));
  };
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    `### ${title} (${y})`,
    "",
    row([x, ...names]),
    row([x, ...names].map(() => "---:")),
    ...all.map((x) => row([x.toLocaleString("en-US"), ...names.map((name) => at(name, x))])),
    row(["slope", ...names.map((name) => slope(lines[name]).toFixed(2))]),
  ].join("\n");
}
