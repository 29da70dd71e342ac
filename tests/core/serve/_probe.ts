/** Runs in a worker: tries what a worker must not, and says what came of each. */
/// <reference lib="deno.worker" />

const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.onmessage = async ({ data }: MessageEvent<{ dir: string; port: number; other: number }>) => {
  const { dir, port, other } = data;
  const hostname = "127.0.0.1";
  const tries: Record<string, () => unknown> = {
    "write in the data directory": () => Deno.writeTextFileSync(`${dir}/probe`, "x"),
    "read in the data directory": () => Deno.readTextFileSync(`${dir}/probe`),
    "listen on its port": () => Deno.listen({ hostname, port }).close(),
    "read /etc/passwd": () => Deno.readTextFileSync("/etc/passwd"),
    "read through ..": () => Deno.readTextFileSync(`${dir}/../../etc/passwd`),
    "read the program": () => Deno.readTextFileSync(new URL(import.meta.url)),
    "list /": () => Array.from(Deno.readDirSync("/")),
    "read /proc/self/environ": () => Deno.readTextFileSync("/proc/self/environ"),
    "write beside the data directory": () => Deno.writeTextFileSync(`${dir}-beside`, "x"),
    "link to /etc": () => Deno.symlinkSync("/etc", `${dir}/link`),
    "the environment": () => Deno.env.toObject(),
    "one variable": () => Deno.env.get("HOME"),
    "connect elsewhere": async () => (await Deno.connect({ hostname, port: other })).close(),
    "listen elsewhere": () => Deno.listen({ hostname, port: other }).close(),
    "fetch": () => fetch(`http://${hostname}:${other}/`),
    "run": () => new Deno.Command("/bin/true").outputSync(),
    "kill": () => Deno.kill(Deno.ppid, "SIGCONT"),
    "ffi": () => Deno.dlopen("libc.so.6", {}),
    "host name": () => Deno.hostname(),
    "who runs it": () => Deno.uid(),
    "import": () => import(`http://${hostname}:${other}/x.ts`),
    "ask for more": async () => {
      const { state } = await Deno.permissions.request({ name: "env" });
      if (state !== "granted") throw new Deno.errors.NotCapable(state);
    },
  };
  const outcome: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(tries)) {
    try {
      await attempt();
      outcome[name] = "allowed";
    } catch (error) {
      const refused = error instanceof Deno.errors.NotCapable ||
        /Requires \w+ access/.test(String(error));
      outcome[name] = refused ? "refused" : String(error);
    }
  }
  scope.postMessage(outcome);
};
