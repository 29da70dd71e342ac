/** How times grow with what there is: a table with slopes, and a picture in bench/plots for each. */
import { fileURLToPath } from "node:url";
import { machine } from "../../core/bench/machine.ts";
import { type Plot, slope, svg } from "../plot.ts";
import { growAccounts } from "./accounts.ts";
import { growClients } from "./clients.ts";
import { growFolder } from "./folder.ts";
import { growLedger } from "./ledger.ts";
import type { Reach } from "./reach.ts";
import { growSize } from "./size.ts";

const subjects: Readonly<Record<string, (reach: Reach) => Promise<Plot>>> = {
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
  readonly only: readonly string[];
  readonly rounds: number | undefined;
  readonly dir: string | undefined;
  readonly tell: (text: string) => void;
  readonly print: (text: string) => void;
}

export async function benchGrowth(options: GrowthOptions): Promise<Record<string, Plot>> {
  const { quick, full, only, dir, tell, print } = options;
  const reach: Reach = {
    size: full ? "full" : quick ? "quick" : "usual",
    rounds: options.rounds ?? (quick ? 1 : 3),
    dir,
    tell,
  };
  const plots: Record<string, Plot> = {};
  const folder = fileURLToPath(new URL("../plots", import.meta.url));
  const note = `${machine()}, ${new Date().toISOString().slice(0, 10)}`;
  for (const [name, grow] of Object.entries(subjects)) {
    if (only.length > 0 && !only.includes(name)) continue;
    const plot = plots[name] = await grow(reach);
    print("\n" + plotTable(plot));
    // A rough run does not take the place of a picture that was made with care.
    const path = `${folder}/${name}${quick ? ".quick" : ""}.svg`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(path, svg(plot, note));
  }
  return plots;
}

/** A row for each x, a column for each line, and below them the slopes. */
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
