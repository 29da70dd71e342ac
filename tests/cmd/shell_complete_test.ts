import { deepStrictEqual } from "node:assert/strict";
import { complete, type Item, type Sources } from "../../cmd/_shell/complete.ts";
import { rows } from "../../cmd/_shell/commands.ts";

const tree: Record<string, readonly Item[]> = {
  "/": [{ name: "home", folder: true }, { name: "public", folder: true }],
  "/home": file("my file", "my other", '"q', ".hidden", "a\nb", "-x", "🎈 one"),
  "/home/": [...file("my file", "my other"), { name: "photos", folder: true }],
  "/home/photos/": file("a.jpg"),
  "/public": file("plan.pdf"),
  "/public/docs/": [...file("readme"), { name: "deep", folder: true }],
};
const here: Record<string, readonly Item[]> = {
  ".": [...file("a.txt", "b c"), { name: "sub", folder: true }],
  "sub/": file("inner"),
};

function file(...names: string[]): Item[] {
  return names.map((name) => ({ name, folder: false }));
}

function sources(folder: string): Sources {
  return {
    folder,
    remote: (path) => Promise.resolve(tree[path] ?? []),
    local: (path) => Promise.resolve(here[path] ?? []),
  };
}

async function offers(line: string, folder = "/home"): Promise<string[]> {
  const [candidates, replaced] = await complete(line, rows, sources(folder));
  deepStrictEqual(line.endsWith(replaced), true, "the replaced part ends the line");
  for (const candidate of candidates) deepStrictEqual(candidate.startsWith(replaced), true);
  return candidates;
}

Deno.test("shell completion: commands", async () => {
  deepStrictEqual(await offers("pu"), ["public", "put", "publish"]);
  deepStrictEqual(await offers("  cla"), ["claim "]);
  deepStrictEqual((await offers("")).length, rows.length);
  deepStrictEqual(await offers("help gro"), ["grow "]);
  deepStrictEqual(await offers("nonsense a"), []);
});

Deno.test("shell completion: remote names are quoted as the start of the word is", async () => {
  deepStrictEqual(await offers("get my"), ["my\\ file", "my\\ other"]);
  deepStrictEqual(await offers("get my\\ f"), ["my\\ file "]);
  deepStrictEqual(await offers('get "my f'), ['"my file" ']);
  deepStrictEqual(await offers("get 'my f"), ["'my file' "]);
  deepStrictEqual(await offers("get my'' f"), []);
  deepStrictEqual(await offers('get my" "f'), ['my" "file ']);
  deepStrictEqual(await offers('get \\"'), ['\\"q ']);
  deepStrictEqual(await offers("get 🎈"), ["🎈\\ one "]);
  deepStrictEqual(await offers("get my\\"), []);
});

Deno.test("shell completion: hidden names and names with control characters are left out", async () => {
  deepStrictEqual(await offers("get "), ["my\\ file", "my\\ other", '\\"q', "./-x", "🎈\\ one"]);
  deepStrictEqual(await offers("get ."), [".hidden "]);
});

Deno.test("shell completion: through folders, up and from the root", async () => {
  deepStrictEqual(await offers("get /h"), ["/home/"]);
  deepStrictEqual(await offers("get photos/", "/home"), ["photos/a.jpg "]);
  deepStrictEqual(await offers("get ../", "/home/photos"), [
    "../my\\ file",
    "../my\\ other",
    "../photos/",
  ]);
  deepStrictEqual(await offers("cd docs/", "/public"), ["docs/deep/"]);
});

Deno.test("shell completion: each argument has its own kind", async () => {
  deepStrictEqual(await offers("put a"), ["a.txt "]);
  deepStrictEqual(await offers("put sub/"), ["sub/inner "]);
  deepStrictEqual(await offers("put a.txt my\\ f"), ["my\\ file "]);
  deepStrictEqual(await offers("get -r x s"), ["sub/"]);
  deepStrictEqual(await offers("lcd "), ["sub/"]);
  deepStrictEqual(await offers("lcd ~"), ["~/"]);
  deepStrictEqual(await offers("claim p"), ["plan.pdf "]);
  deepStrictEqual(await offers("claim docs/r", "/home"), ["docs/readme "]);
  deepStrictEqual(await offers("publish my\\ f", "/public"), ["my\\ file "]);
  deepStrictEqual(await offers("rm a b my\\ f"), ["my\\ file "]);
  deepStrictEqual(await offers("digest x m"), ["md5 "]);
  deepStrictEqual(await offers("get a b c"), []);
  deepStrictEqual(await offers("left x"), []);
});

Deno.test("shell completion: flags, until -- ends them", async () => {
  deepStrictEqual(await offers("ls -"), ["-l", "-r"]);
  deepStrictEqual(await offers("left -"), []);
  deepStrictEqual(await offers("get -- -"), ["-x "]);
});
