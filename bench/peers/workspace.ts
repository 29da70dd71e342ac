/** The temporary folder of all contests, with the files to transfer. */
import type { Tools } from "./tools.ts";
import { makeFolder, removeFolder } from "../cleanup.ts";
import { capture } from "./process.ts";
import { here, type Site } from "./site.ts";

/** The amount of work. */
export interface Scale {
  readonly rounds: number;
  /** Bytes of the large file. */
  readonly large: number;
  /** The tree: folders, and files of 4 KiB in each. */
  readonly folders: number;
  readonly filesPerFolder: number;
  readonly clients: number;
  readonly sessions: number;
  /** Duration of the load on an echo server. */
  readonly seconds: number;
  readonly connections: number;
}

export const full: Scale = {
  rounds: 5,
  large: 2 ** 30,
  folders: 50,
  filesPerFolder: 100,
  clients: 200,
  sessions: 1000,
  seconds: 5,
  connections: 500,
};
export const quick: Scale = {
  rounds: 2,
  large: 2 ** 26,
  folders: 10,
  filesPerFolder: 100,
  clients: 50,
  sessions: 200,
  seconds: 1,
  connections: 100,
};

export interface Workspace extends AsyncDisposable {
  /** Holds `large`, `one` (1 MiB) and `tree`. */
  readonly source: string;
  /** Root of the peers: the same files in `down`, and `up` for uploads. */
  readonly root: string;
  /** For configurations, keys and downloads. */
  readonly work: string;
  readonly scale: Scale;
  readonly tools: Tools;
  readonly site: Site;
  /** Problems to report besides the contests. */
  readonly notes: string[];
  /** Makes an empty folder for a download, and removes the previous one. */
  fresh(): Promise<string>;
  /** Removes the uploads to peers. */
  sweep(): Promise<void>;
  /** Writes and removes a file, so that no contestant waits for the host to provide memory. */
  warm(bytes: number): Promise<void>;
}

export async function makeWorkspace(
  dir: string,
  scale: Scale,
  tools: Tools,
  site: Site = here,
): Promise<Workspace> {
  const work = await makeFolder("barge-peers-", dir);
  const [source, root, back] = [`${work}/source`, `${work}/root`, `${work}/back`];
  // Peers run as users of their own.
  await Deno.chmod(work, 0o755);
  await Deno.mkdir(`${source}/tree`, { recursive: true });
  await Deno.mkdir(`${root}/down`, { recursive: true });
  const makeUploads = async () => {
    await Deno.mkdir(`${root}/up`, { recursive: true });
    await Deno.chmod(`${root}/up`, 0o777);
  };
  await makeUploads();
  await randomFile(`${source}/large`, scale.large);
  await randomFile(`${source}/one`, 2 ** 20);
  for (let d = 0; d < scale.folders; d++) {
    await Deno.mkdir(`${source}/tree/d${d}`);
    for (let f = 0; f < scale.filesPerFolder; f++) {
      await randomFile(`${source}/tree/d${d}/f${f}`, 4096);
    }
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
    site,
    notes: [],
    async fresh() {
      await Deno.remove(back, { recursive: true }).catch(() => {/* there is no previous one */});
      const folder = `${back}/${turn++}`;
      await Deno.mkdir(folder, { recursive: true });
      return folder;
    },
    async sweep() {
      await Deno.remove(`${root}/up`, { recursive: true });
      await makeUploads();
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

/**
 * Checks that two files or trees are equal. @param byBytes or only by number and size @throws
 * {Error}
 */
export async function assertSame(a: string, b: string, byBytes: boolean): Promise<void> {
  if (byBytes) {
    const { success, stdout } = await capture("diff", ["-rq", a, b]);
    if (!success) throw new Error(`the copy differs: ${stdout.split("\n")[0]}`);
    return;
  }
  const [left, right] = [countTree(a), countTree(b)];
  if (left !== right) throw new Error(`the copy differs: ${right} instead of ${left}`);
}

function countTree(path: string): string {
  let [files, bytes] = [0, 0];
  const visit = (at: string) => {
    const { isDirectory, size } = Deno.statSync(at);
    if (isDirectory) { for (const { name } of Deno.readDirSync(at)) visit(`${at}/${name}`); }
    else [files, bytes] = [files + 1, bytes + size];
  };
  visit(path);
  return `${files} files of ${bytes} bytes`;
}
