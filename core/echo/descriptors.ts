/** The limit of the process's file descriptors. */

/** The most descriptors that a process with a few isolates has open beside its connections. */
export const spareDescriptors = 64;

/** Returns the system's limit; undefined where it can't be read. */
export async function allowedDescriptors(): Promise<number | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const limits = await Deno.readTextFile("/proc/self/limits").catch(() => "");
  const allowed = /^Max open files +(\d+)/m.exec(limits)?.[1];
  return allowed === undefined ? undefined : Number(allowed);
}
