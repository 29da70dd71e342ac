/** The memory of processes, from Linux's /proc; 0 on other systems. */

/** Returns a process's resident memory in MiB; 0 when it has ended. */
export function residentMemory(pid: number): number {
  return field(`/proc/${pid}/status`, "VmRSS") / 1024;
}

/**
 * Watches a process's resident memory.
 *
 * @returns a function that stops watching and returns the peak in MiB
 */
export function watchMemory(pid: number): () => number {
  return watch(() => residentMemory(pid), 10);
}

/** As {@link watchMemory}, for a process and its descendants together. */
export function watchFamily(pid: number): () => number {
  return watch(() => familyMemory(pid), 25);
}

/**
 * Returns the memory of a process and its descendants in MiB: proportional (PSS), which divides a
 * shared page among its processes, or resident if PSS is not readable.
 */
export function familyMemory(pid: number): number {
  return family(pid).reduce((sum, one) => {
    const own = field(`/proc/${one}/smaps_rollup`, "Pss") / 1024;
    return sum + (own || residentMemory(one));
  }, 0);
}

/** Returns a process and all its descendants. */
export function family(pid: number): number[] {
  const all = [pid];
  for (let i = 0; i < all.length; i++) {
    for (const thread of tasks(all[i])) {
      all.push(
        ...read(`/proc/${all[i]}/task/${thread}/children`).split(/\s+/).filter(Boolean).map(Number),
      );
    }
  }
  return all;
}

function tasks(pid: number): string[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function watch(now: () => number, intervalMs: number): () => number {
  let peak = now();
  const timer = setInterval(() => peak = Math.max(peak, now()), intervalMs);
  return () => {
    clearInterval(timer);
    return Math.max(peak, now());
  };
}

/** @returns KiB */
function field(path: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(read(path))?.[1] ?? 0);
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
