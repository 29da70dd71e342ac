/**
 * A program in barge's shape, so that the tests of the executable do not wait for, or change with,
 * the real one: it imports lazily, starts a worker by its place, and reads an asset.
 */
export const STANDIN: Readonly<Record<string, string>> = {
  "deno.json": JSON.stringify({
    version: "1.2.3",
    imports: { picomatch: "npm:picomatch@4.0.7" },
    unstable: ["worker-options"],
  }),
  "main.ts": `
    const say = (value: unknown) =>
      Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(value) + "\\n"));
    const [verb, ...rest] = Deno.args;
    if (verb === "--version") say("1.2.3");
    if (verb === "args") say(rest);
    if (verb === "env") say(Deno.env.toObject());
    if (verb === "exit") Deno.exit(Number(rest[0]));
    if (verb === "cat") await Deno.stdin.readable.pipeTo(Deno.stdout.writable);
    if (verb === "match") say((await import("./cmd/match.ts")).match(rest[0], rest[1]));
    if (verb === "worker") say(await (await import("./core/serve/supervisor.ts")).ask());
    if (verb === "wait") {
      Deno.addSignalListener("SIGTERM", () => Deno.exit(42));
      say(Deno.pid);
      setInterval(() => {}, 1000);
    }
  `,
  "cmd/match.ts": `
    import picomatch from "picomatch";
    export const match = (glob: string, name: string) => picomatch(glob)(name);
  `,
  "core/serve/supervisor.ts": `
    export async function ask(): Promise<unknown> {
      const asset = Deno.readTextFileSync(new URL("./asset.txt", import.meta.url));
      const worker = new Worker(new URL("./worker.ts", import.meta.url), {
        type: "module",
        deno: { permissions: { read: false, net: false, env: false, write: false, sys: false } },
      });
      const answer = await new Promise((resolve) => worker.onmessage = (e) => resolve(e.data));
      worker.terminate();
      return { asset, answer };
    }
  `,
  "core/serve/asset.txt": "an asset",
  "core/serve/worker.ts": `
    import { match } from "../../cmd/match.ts";
    let read = "allowed";
    try {
      Deno.readTextFileSync("/etc/passwd");
    } catch (error) {
      read = (error as Error).name;
    }
    (self as unknown as Worker).postMessage({ read, match: match("*.ts", "a.ts") });
  `,
};
