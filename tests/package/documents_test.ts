/** The documents of the packages. */
import assert from "node:assert/strict";
import { posix } from "node:path";
import { documentPaths } from "../../scripts/package/content.ts";
import { ROOT } from "../../scripts/run.ts";

Deno.test("each link of a document in the packages leads to a file in the packages", async () => {
  const paths = documentPaths(ROOT);
  const broken: string[] = [];
  for (const page of paths.filter((path) => path.endsWith(".md"))) {
    const text = await Deno.readTextFile(`${ROOT}/${page}`);
    for (const [, link] of text.matchAll(/\]\(([^)\s#]+)(?:#[^)\s]*)?\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const target = posix.join(posix.dirname(page), link);
      const exists = target.endsWith("/")
        ? paths.some((path) => path.startsWith(target))
        : paths.includes(target);
      if (!exists) broken.push(`${page}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
});

Deno.test("README leads to each page of docs/", async () => {
  const text = await Deno.readTextFile(`${ROOT}/README.md`);
  const pages = documentPaths(ROOT).filter((path) => /^docs\/[^/]+\.md$/.test(path));
  assert.deepEqual(pages.filter((page) => !text.includes(`](${page}`)), []);
});
