/** The scripts, units and commands of docs/cron.md, which the tests run as they are written. */
import { ROOT } from "../scripts/run.ts";

/** The address of the account on the page. */
export const pageAddress = "barge://backup@files.example";

const page = await Deno.readTextFile(`${ROOT}/docs/cron.md`);

/** The indented blocks of the page; blank lines inside a block belong to it. */
export const blocks: readonly string[] = page.split(/^(?! {4}|\n).*\n/m)
  .map((block) => block.replace(/^ {4}/gm, "").trim())
  .filter(Boolean);

/**
 * Returns the files of the page, which name themselves in a comment, by their paths below the home.
 *
 * @param address takes the place of the page's address
 */
export function files(address = pageAddress): Map<string, string> {
  const named = blocks.flatMap((block) => block.split(/^(?=# ~\/\.config|#!)/m))
    .map((text) =>
      [/^# ~\/(\S+)/m.exec(text)?.[1], text.replace(pageAddress, address).trimEnd() + "\n"] as const
    );
  return new Map(named.filter((row): row is [string, string] => row[0] !== undefined));
}
