/** How many file descriptors the system lets this process have. */

/** Those that a process has open beside its connections, at most, with a few isolates. */
export const spareDescriptors = 64;

/** @returns undefined where the system does not tell */
export async function allowedDescriptors(): Promise<number | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const limits = await Deno.readTextFile("/proc/self/limits").catch(() => "");
  const allowed = /^Max open files +(\d+)/m.exec(limits)?.[1];
  return allowed === undefined ? undefined : Number(allowed);
}
