/** The man pages: one for each verb, and none with a warning of man. */
import assert from "node:assert/strict";
import { manPages } from "../../scripts/package/man/pages.ts";
import { tree } from "../../main.ts";
import type { Tree } from "../../cmd/_term/command.ts";
import { lacks, output } from "./_debian.ts";
import { root, unless, version } from "./_packages.ts";

const pages = await manPages(
  { version, time: 1_800_000_000 },
  await Deno.readTextFile(`${root}/docs/configuration.md`),
);

/** Returns the names of the pages for a level of the command tree, and for those below. */
function pagesOf(tree: Tree, above = "barge"): string[] {
  return Object.entries(tree).flatMap(([name, row]) => {
    const page = `${above}-${name}`;
    return [`${page}.1`, ...("verbs" in row ? pagesOf(row.verbs, page) : [])];
  });
}

Deno.test("each verb and group has a man page, beside barge(1) and barge.toml(5)", () => {
  const expected = ["barge.1", "barge.toml.5", ...pagesOf(tree)];
  assert.deepEqual([...pages.keys()].sort(), expected.sort());
});

Deno.test("a page of a verb has the sections of man pages, in their order", () => {
  const sections = (name: string) =>
    Array.from(pages.get(name)!.matchAll(/^\.SH (?:"(.*)"|(.*))$/gm), ([, a, b]) => a ?? b);
  const common = ["NAME", "SYNOPSIS", "DESCRIPTION"];
  const end = ["EXIT STATUS", "SEE ALSO"];
  const put = [...common, "ARGUMENTS", "OPTIONS", "EXAMPLES", ...end];
  assert.deepEqual(sections("barge-put.1"), put);
  assert.deepEqual(sections("barge-user.1"), [...common, ...end]);
});

Deno.test("pages refer to pages that exist", () => {
  for (const [name, text] of pages) {
    for (const [, page, section] of text.matchAll(/\\fB(barge[a-z.\\-]*)\\fR\((\d)\)/g)) {
      const file = `${page.replaceAll("\\-", "-")}.${section}`;
      assert.ok(pages.has(file), `${name} refers to ${file}`);
    }
  }
});

Deno.test({
  ...unless(await lacks("man", "--version"), "man shows every page without a warning"),
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "barge-man-" });
    try {
      for (const [name, text] of pages) await Deno.writeTextFile(`${folder}/${name}`, text);
      const options = ["--warnings", "--encoding=UTF-8", "--local-file", "-Tutf8", "-Z"];
      for (const name of pages.keys()) {
        const { code, stderr } = await output("man", [...options, `${folder}/${name}`]);
        assert.deepEqual([code, stderr], [0, ""], name);
      }
      const shown = await output("man", ["--local-file", `${folder}/barge-put.1`]);
      assert.match(shown.stdout, /^ +-r, --recursive$/m);
      assert.match(shown.stdout, /barge put -r photos \/home\//);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
