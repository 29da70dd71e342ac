/** Returns one line about the machine and the runtime of a measurement. */
export function machine(): string {
  const cpu = /model name\s*: (.*)/.exec(readText("/proc/cpuinfo"))?.[1] ?? "unknown processor";
  const gib = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  const cores = navigator.hardwareConcurrency;
  const system = `${Deno.build.os} ${Deno.osRelease()}`;
  return `${cores} x ${cpu}, ${gib} GiB, ${system}, deno ${Deno.version.deno}`;
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
