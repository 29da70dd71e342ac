/** Other programs as child processes: timed ones, and servers that are waited for and ended by pid. */

import { spawn } from "../leftovers.ts";

const decoder = new TextDecoder();
/** ms; whatever takes longer will not end. */
const patience = 600_000;

export interface Where {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What a program said, however it ended. */
export async function capture(
  program: string,
  args: readonly string[],
  where: Where = {},
): Promise<{ readonly success: boolean; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(program, {
    ...where,
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const late = setTimeout(() => child.kill("SIGKILL"), patience);
  const { success, stdout, stderr } = await child.output();
  clearTimeout(late);
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** From its start to its end. @returns seconds @throws {Error} with what it said, when it fails */
export async function timed(
  program: string,
  args: readonly string[],
  where: Where = {},
): Promise<number> {
  const began = performance.now();
  const { success, stdout, stderr } = await capture(program, args, where);
  const seconds = (performance.now() - began) / 1000;
  const why = stderr.trim().split("\n").at(-1) || stdout.trim().split("\n").at(-1);
  if (!success) throw new Error(`${program.split("/").at(-1)}: ${why}`);
  return seconds;
}

/** A server under way. */
export interface Server extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/**
 * Starts a server and waits until it takes connections.
 *
 * @param silent it is not asked whether it listens: UDP
 * @throws {Error} when it ends before that, with what it said
 */
export async function serve(
  program: string,
  args: readonly string[],
  port: number,
  silent = false,
): Promise<Server> {
  const child = spawn(program, {
    args: [...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
  let ended = false;
  let said = "";
  const talk = child.stderr.pipeTo(
    new WritableStream({
      write: (bytes) => void (said = (said + decoder.decode(bytes)).slice(-500)),
    }),
  );
  const status = child.status.finally(() => ended = true);
  const end = async () => {
    if (!ended) child.kill("SIGTERM");
    const late = setTimeout(() => ended || child.kill("SIGKILL"), 5000);
    await status;
    clearTimeout(late);
    await talk;
  };
  for (let tries = 0; tries < 500; tries++) {
    if (ended) break;
    if (silent ? tries > 15 : await answers(port)) {
      return { port, pid: child.pid, [Symbol.asyncDispose]: end };
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await end();
  throw new Error(`${program.split("/").at(-1)} does not serve: ${said.trim()}`);
}

async function answers(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** It may be taken by another until it is used: the contest is then run again. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
