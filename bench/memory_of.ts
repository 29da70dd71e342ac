/** What memory processes have, as Linux tells it; 0 elsewhere. */

/** A process's resident memory in MiB; 0 when it is gone. */
export function residentMemory(pid: number): number {
  return field(`/proc/${pid}/status`, "VmRSS") / 1024;
}

/**
 * Watches a process's resident memory.
 *
 * @returns ends it, and tells the most that was seen, in MiB
 */
export function watchMemory(pid: number): () => number {
  return watch(() => residentMemory(pid), 10);
}

/** The same for a server that forks: all of its processes, what they share counted once. */
export function watchFamily(pid: number): () => number {
  return watch(() => familyMemory(pid), 25);
}

/**
 * Memory of a process and all below it in MiB: proportional (PSS), where a page that three processes
 * share is a third of a page of each. Resident, where the system does not let us see that.
 */
export function familyMemory(pid: number): number {
  return family(pid).reduce((sum, one) => {
    const own = field(`/proc/${one}/smaps_rollup`, "Pss") / 1024;
    return sum + (own || residentMemory(one));
  }, 0);
}

/** A process, its children, and theirs. */
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

function watch(now: () => number, every: number): () => number {
  let peak = now();
  const timer = setInterval(() => peak = Math.max(peak, now()), every);
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
