import { join } from "node:path";
import { type Commit, commitOf } from "./commit.ts";

/** The facts that all packages of one build share. */
export interface Facts {
  /** As in deno.json. */
  readonly version: string;
  readonly commit: Commit;
  /** The architecture in Debian's words: `amd64` or `arm64`. */
  readonly architecture: string;
}

/** The name and address for packages, which do not name a person. */
export const maintainer = "the barge authors <maintainers@barge.example>";

/** One line about the program. */
export const summary = "file server and client for shells and cron";

const architectures = { x86_64: "amd64", aarch64: "arm64" };

/** Returns the facts of a build of `root` on this machine. */
export async function factsOf(root: string): Promise<Facts> {
  const { version } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const architecture = architectures[Deno.build.arch];
  return { version, commit: await commitOf(root), architecture };
}
