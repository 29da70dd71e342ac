/** The operator's programs for tests of hooks: shell scripts in a folder. */
import assert from "node:assert/strict";
import type { Peer } from "../door/_peer.ts";
import { type Server, startServer } from "../../_server.ts";

/** Whether the system has shells, process groups and signals. */
export const unix = Deno.build.os !== "windows";

export class Scripts implements Disposable {
  readonly dir = Deno.makeTempDirSync({ prefix: "barge-hook-" });

  /** Writes a script, in which `$D` is this folder. @returns its path */
  write(name: string, text: string): string {
    const path = `${this.dir}/${name}`;
    Deno.writeTextFileSync(path, `#!/bin/sh\nD='${this.dir}'\n${text}\n`, { mode: 0o755 });
    return path;
  }

  read(name: string): string {
    return Deno.readTextFileSync(`${this.dir}/${name}`);
  }

  has(name: string): boolean {
    try {
      Deno.statSync(`${this.dir}/${name}`);
      return true;
    } catch {
      return false;
    }
  }

  /** Makes a file, for which a script may wait. */
  touch(name: string): void {
    Deno.writeTextFileSync(`${this.dir}/${name}`, "");
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

/** Returns a line of a script that waits for a file. */
export const waitFor = (name: string) => `until [ -e "$D/${name}" ]; do sleep 0.1; done`;

/** Writes a program that keeps a named pipe open with a child, until there is a file `ok`. */
export async function hanging(scripts: Scripts): Promise<string> {
  await new Deno.Command("mkfifo", { args: [`${scripts.dir}/pipe`] }).output();
  const hang = 'sleep 600 > "$D/pipe" & exec sleep 600 > "$D/pipe"';
  return scripts.write("hang", `[ -e "$D/ok" ] && exit 0\n${hang}`);
}

/** Waits until a program has the pipe open. @returns a function that waits for the end of its processes */
export async function holding(scripts: Scripts): Promise<() => Promise<void>> {
  const pipe = await Deno.open(`${scripts.dir}/pipe`);
  return async () => {
    using _closed = pipe;
    assert.equal(await pipe.read(new Uint8Array(1)), null);
  };
}

/** A server with hooks, one worker, and an account `anna`. */
export async function serveWith(...args: string[]): Promise<{ server: Server; token: string }> {
  const server = await startServer({ args: ["--workers", "1", ...args] });
  await server.addUser("anna", { quota: "1000000" });
  return { server, token: await server.issueToken("anna") };
}

/** Returns the reserved and used bytes of an account. */
export async function quotaOf(peer: Peer): Promise<{ used: number; reserved: number }> {
  const { used, reserved } = await peer.ask({ verb: "quota" });
  return { used: used as number, reserved: reserved as number };
}
