import { finish } from "../run.ts";

/** The commit of a checkout. */
export interface Commit {
  /** Its first 12 digits, with `-dirty` behind them if files differ from it; `commit unknown` without git. */
  readonly name: string;
  /** Its time, in seconds since 1970; 0 without git. */
  readonly time: number;
}

/**
 * Returns the commit of the checkout in `root`. SOURCE_DATE_EPOCH in the environment overrides its time
 * (the specification of that variable is by the Reproducible Builds project).
 *
 * A build that changes no file of the checkout leaves it clean: `dist/` is not in git.
 */
export async function commitOf(root: string): Promise<Commit> {
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH");
  if (epoch !== undefined && !/^\d{1,12}$/.test(epoch)) {
    throw new Error(`SOURCE_DATE_EPOCH is ${epoch}, and must be a number of seconds`);
  }
  const shown = await git(root, "log", "-1", "--abbrev=12", "--format=%h %ct");
  if (shown === undefined) return { name: "commit unknown", time: Number(epoch ?? 0) };
  const [hash, time] = shown.split(" ");
  const isChanged = await git(root, "status", "--porcelain") !== "";
  return { name: isChanged ? `${hash}-dirty` : hash, time: Number(epoch ?? time) };
}

/** Runs git for the checkout whose top is `root`. @returns undefined without git, or outside of a checkout */
async function git(root: string, ...args: string[]): Promise<string | undefined> {
  try {
    const top = await finish("git", ["-C", root, "rev-parse", "--show-cdup"]);
    if (top.code !== 0 || top.stdout.trim() !== "") return undefined;
    const { code, stdout } = await finish("git", ["-C", root, ...args]);
    return code === 0 ? stdout.trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
