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
    if (verb === "using") say(await (await import("./core/using.ts")).disposed());
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
  "core/using.ts": `
    /** Notes its name when it is disposed. */
    class Thing implements Disposable, AsyncDisposable {
      constructor(readonly name: string, readonly log: string[]) {}
      use() {}
      [Symbol.dispose]() {
        this.log.push(this.name);
      }
      async [Symbol.asyncDispose]() {
        await Promise.resolve();
        this.log.push(this.name);
      }
    }
    const take = (..._: unknown[]) => {};
    const later = <T>(value: T) => Promise.resolve(value);

    /** Each form of \`using\` that the program's sources have, and the names of those disposed. */
    export async function disposed(): Promise<string[]> {
      const log: string[] = [];
      const make = (name: string) => new Thing(name, log);
      { using thing = make("method"); thing.use(); }
      { using thing = make("argument"); take(thing); }
      { using thing = make("property"); take(thing.name); }
      { using thing = make("twice"); thing.use(); thing.use(); }
      { using _ = make("unused"); }
      { using thing = await later(make("awaited")); thing.use(); }
      { using thing = log.length > 99 ? undefined : make("maybe"); thing?.use(); }
      { using nothing: Thing | undefined = undefined; take(nothing); }
      { using thing = { [Symbol.dispose]: () => void log.push("literal") }; take(thing); }
      { await using thing = make("await method"); thing.use(); }
      { await using thing = await later(make("await awaited")); thing.use(); }
      { await using _ = make("await unused"); }
      { using stack = new DisposableStack(); stack.defer(() => log.push("stack")); }
      for (using thing of [make("for")]) thing.use();
      for await (await using thing of [make("for await")]) thing.use();
      try {
        using thing = make("throw");
        thing.use();
        throw new Error("expected");
      } catch { /* expected */ }
      const get = (): string => { using thing = make("return"); return thing.name; };
      take(get());
      const wait = async () => { await using thing = make("async return"); return await later(thing.name); };
      take(await wait());
      function* each() { using thing = make("generator"); yield thing.name; }
      take([...each()]);
      class Method {
        run() { using thing = make("class"); thing.use(); }
        async go() { using thing = await later(make("async class")); await later(thing.use()); }
      }
      new Method().run();
      await new Method().go();
      return log;
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
    const cache = await caches.open("x").then(() => "allowed", () => "refused");
    (self as unknown as Worker).postMessage({ read, cache, match: match("*.ts", "a.ts") });
  `,
};
