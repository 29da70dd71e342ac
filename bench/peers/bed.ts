/** Where all contests are held: a temporary directory, with the files that are moved. */
import type { Tools } from "./tools.ts";
import { makeFolder, removeFolder } from "../leftovers.ts";
import { capture } from "./process.ts";

/** How much there is to do. */
export interface Scale {
  readonly rounds: number;
  /** Bytes of the large file. */
  readonly large: number;
  /** The tree: folders, and files of 4 KiB in each. */
  readonly folders: number;
  readonly each: number;
  readonly clients: number;
  readonly sessions: number;
  /** How long an echo server is asked. */
  readonly seconds: number;
  readonly connections: number;
}

export const full: Scale = {
  rounds: 5,
  large: 2 ** 30,
  folders: 50,
  each: 100,
  clients: 200,
  sessions: 1000,
  seconds: 5,
  connections: 500,
};
export const quick: Scale = {
  rounds: 2,
  large: 2 ** 26,
  folders: 10,
  each: 100,
  clients: 50,
  sessions: 200,
  seconds: 1,
  connections: 100,
};

export interface Bed extends AsyncDisposable {
  /** Holds `large`, `one` (1 MiB) and `tree`. */
  readonly source: string;
  /** What peers serve: the same in `down`, and `up` to write to. */
  readonly root: string;
  /** For configurations, keys, and what was downloaded. */
  readonly work: string;
  readonly scale: Scale;
  readonly tools: Tools;
  /** What went wrong beside the contests, to be told. */
  readonly notes: string[];
  /** A round's own folder for a download, empty, whose predecessor is gone. */
  fresh(): Promise<string>;
  /** Empties what was uploaded to peers. */
  sweep(): Promise<void>;
  /** Has the system find memory for so many bytes of files, so that no contestant waits for it. */
  warm(bytes: number): Promise<void>;
}

export async function makeBed(dir: string, scale: Scale, tools: Tools): Promise<Bed> {
  const work = await makeFolder("barge-peers-", dir);
  const [source, root, back] = [`${work}/source`, `${work}/root`, `${work}/back`];
  // Peers serve as users of their own.
  await Deno.chmod(work, 0o755);
  await Deno.mkdir(`${source}/tree`, { recursive: true });
  await Deno.mkdir(`${root}/down`, { recursive: true });
  const upper = async () => {
    await Deno.mkdir(`${root}/up`, { recursive: true });
    await Deno.chmod(`${root}/up`, 0o777);
  };
  await upper();
  await randomFile(`${source}/large`, scale.large);
  await randomFile(`${source}/one`, 2 ** 20);
  for (let d = 0; d < scale.folders; d++) {
    await Deno.mkdir(`${source}/tree/d${d}`);
    for (let f = 0; f < scale.each; f++) await randomFile(`${source}/tree/d${d}/f${f}`, 4096);
  }
  const { success, stderr } = await capture("cp", ["-al", `${source}/.`, `${root}/down`]);
  if (!success) throw new Error(stderr);
  let turn = 0;
  return {
    source,
    root,
    work,
    scale,
    tools,
    notes: [],
    async fresh() {
      await Deno.remove(back, { recursive: true }).catch(() => {/* it is the first one */});
      const folder = `${back}/${turn++}`;
      await Deno.mkdir(folder, { recursive: true });
      return folder;
    },
    async sweep() {
      await Deno.remove(`${root}/up`, { recursive: true });
      await upper();
    },
    async warm(bytes) {
      const block = new Uint8Array(2 ** 20);
      {
        using file = await Deno.open(`${work}/warm`, { write: true, create: true });
        for (let done = 0; done < bytes; done += block.length) await file.write(block);
      }
      await Deno.remove(`${work}/warm`);
    },
    [Symbol.asyncDispose]: () => removeFolder(work),
  };
}

async function randomFile(path: string, size: number): Promise<void> {
  const block = new Uint8Array(Math.min(size, 2 ** 20));
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let left = size; left > 0; left -= block.length) {
    for (let at = 0; at < block.length; at += 65_536) {
      crypto.getRandomValues(block.subarray(at, at + 65_536));
    }
    await file.write(block.subarray(0, Math.min(left, block.length)));
  }
}

/** Are two files, or trees, the same? @param closely byte by byte, or only their sizes and number */
export async function same(a: string, b: string, closely: boolean): Promise<void> {
  if (closely) {
    const { success, stdout } = await capture("diff", ["-rq", a, b]);
    if (!success) throw new Error(`not what was sent: ${stdout.split("\n")[0]}`);
    return;
  }
  const [left, right] = [weigh(a), weigh(b)];
  if (left !== right) throw new Error(`not what was sent: ${right} instead of ${left}`);
}

function weigh(path: string): string {
  let [files, bytes] = [0, 0];
  const visit = (at: string) => {
    const { isDirectory, size } = Deno.statSync(at);
    if (isDirectory) { for (const { name } of Deno.readDirSync(at)) visit(`${at}/${name}`); }
    else [files, bytes] = [files + 1, bytes + size];
  };
  visit(path);
  return `${files} files of ${bytes} bytes`;
}
