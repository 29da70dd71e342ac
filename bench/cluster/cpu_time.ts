/** The CPU time of processes, from Linux's /proc; 0 on other systems. */
import { family } from "../process_memory.ts";

/** Processes that are measured together with their descendants. */
export interface ProcessGroup {
  readonly pids: readonly number[];
}

/** Linux counts CPU time in hundredths of a second. */
const ticksPerSecond = 100;

/**
 * Measures the CPU time that groups of processes, and the commands that this process runs, use from now on.
 *
 * @returns a function that returns the seconds of each group so far, and those of ended commands as `client`
 */
export function startCpuTimes(
  groups: Readonly<Record<string, ProcessGroup>>,
): () => Record<string, number> {
  const read = () => ({
    client: times("self").ended,
    ...Object.fromEntries(
      Object.entries(groups).map(([name, { pids }]) => [name, familyTime(pids)]),
    ),
  });
  const before: Record<string, number> = read();
  return () =>
    Object.fromEntries(Object.entries(read()).map(([name, now]) => [name, now - before[name]]));
}

function familyTime(pids: readonly number[]): number {
  return pids.flatMap(family).reduce((sum, pid) => {
    const { own, ended } = times(pid);
    return sum + own + ended;
  }, 0);
}

/** Returns the CPU seconds of a process, and those of its children that have ended. */
function times(pid: number | "self"): { readonly own: number; readonly ended: number } {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The name of the program, in parentheses, may hold spaces. Then come the state and the numbers.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
    const [user, system, endedUser, endedSystem] = fields.slice(11, 15);
    return {
      own: (user + system) / ticksPerSecond,
      ended: (endedUser + endedSystem) / ticksPerSecond,
    };
  } catch {
    return { own: 0, ended: 0 };
  }
}
