/** Other programs as child processes: timed commands, and servers. */
import { spawn } from "../cleanup.ts";
import { here, type Site } from "./site.ts";

const decoder = new TextDecoder();
/** Limit for a command, after which it is killed. */
const commandTimeoutMs = 600_000;

export interface Where {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program. @returns its output, also after a failure */
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
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, commandTimeoutMs);
  const { success, stdout, stderr } = await child.output();
  clearTimeout(late);
  const why = isLate ? `\ntakes longer than ${commandTimeoutMs / 1000} s` : "";
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) + why };
}

/** Times a program. @returns seconds @throws {Error} with its output when it fails */
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

/** A running server. */
export interface Server extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

interface ServeOptions {
  /** Waits for a fixed time in place of a connection, for UDP. */
  readonly silent?: boolean;
  readonly site?: Site;
}

/**
 * Starts a server and waits until it accepts connections.
 *
 * @throws {Error} with its error output when it ends before that
 */
export async function serve(
  program: string,
  args: readonly string[],
  port: number,
  { silent = false, site = here }: ServeOptions = {},
): Promise<Server> {
  const [command, words] = site.command(program, args);
  const child = spawn(command, {
    args: words,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
  let ended = false;
  let errors = "";
  const reading = child.stderr.pipeTo(
    new WritableStream({
      write: (bytes) => void (errors = (errors + decoder.decode(bytes)).slice(-500)),
    }),
  );
  const status = child.status.finally(() => ended = true);
  const end = async () => {
    if (!ended) child.kill("SIGTERM");
    const late = setTimeout(() => ended || child.kill("SIGKILL"), 5000);
    await status;
    clearTimeout(late);
    await reading;
  };
  for (let tries = 0; tries < 500; tries++) {
    if (ended) break;
    if (silent ? tries > 15 : await answers(site.host, port)) {
      return { port, pid: child.pid, [Symbol.asyncDispose]: end };
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await end();
  throw new Error(`${program.split("/").at(-1)} does not serve: ${errors.trim()}`);
}

async function answers(hostname: string, port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname, port })).close();
    return true;
  } catch {
    return false;
  }
}

/** Returns a free port. Another process may take it before it is used; the contest then fails. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
