/**
 * Runs the commands that replace a shell: `scp`, as old clients start it at the server, and `sha256sum`
 * and `md5sum`, which rclone uses. They are functions of this process; no program is started.
 */
import { createHash } from "node:crypto";
import { digest } from "../../session/digest.ts";
import { type Access, outcomeOf } from "../access.ts";
import { printable, sumLine } from "../../protocol/printable.ts";
import { explain, note } from "../failure.ts";
import { gone } from "./bytes.ts";
import { expandTilde, resolve } from "./paths.ts";
import { scp } from "./scp.ts";
import type { CommandContext } from "./scp_dialog.ts";
import { splitWords } from "./shell_words.ts";
import { Work, type WorkOptions } from "./work.ts";

/** @returns the exit code */
type Program = (command: CommandContext, args: readonly string[]) => Promise<number>;

const programs: { readonly [name: string]: Program } = {
  scp,
  sha256sum: (command, args) => sums(command, "sha256", args),
  md5sum: (command, args) => sums(command, "md5", args),
};
const notFoundExitCode = 127;
const maxCommandLength = 16 * 1024;

export class Command extends Work implements CommandContext {
  readonly busy = true;
  readonly #line: string;

  /** @param line the command, with a shell's quoting */
  constructor(options: WorkOptions, line: string) {
    super(options);
    this.#line = line;
  }

  override access(verb: string, path: string | null): Access {
    return this.presence.doing = super.access(verb, path);
  }

  async run(): Promise<void> {
    try {
      this.bytes.end(await this.#run());
    } catch (error) {
      note(error, this.address);
      this.bytes.end(1);
    } finally {
      this.presence.doing = null;
    }
  }

  async #run(): Promise<number> {
    let words: string[];
    try {
      words = this.#words();
    } catch (error) {
      const refused = explain(error, { op: "exec" });
      this.access("exec", null).end(refused.kind);
      await this.complain(refused.message);
      return 1;
    }
    const [name = "", ...args] = words;
    const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
    if (program) return await program(this, args);
    this.access("exec", null).end("unsupported");
    await this.complain("there is no shell here: only sftp, scp, sha256sum and md5sum");
    return notFoundExitCode;
  }

  /** @throws {BargeError} `denied` for the home of another account */
  #words(): string[] {
    if (this.#line.length > maxCommandLength) return [];
    return splitWords(this.#line, (tilde) => expandTilde(tilde, this.session.name));
  }

  async complain(text: string): Promise<void> {
    await this.bytes.send(new TextEncoder().encode(`barge: ${printable(text)}\n`), "stderr");
  }
}

/** Prints digests as GNU coreutils do; without a path, the digest of the client's input. */
async function sums(
  command: CommandContext,
  algorithm: "sha256" | "md5",
  args: readonly string[],
): Promise<number> {
  const end = args.indexOf("--");
  const paths = end === -1 ? args.filter((arg) => !/^-[bt]$/.test(arg)) : args.slice(end + 1);
  const print = (text: string) => command.bytes.send(new TextEncoder().encode(text));
  if (paths.length === 0) {
    await print(`${await digestOfInput(command, algorithm)}  -\n`);
    return 0;
  }
  let failed = false;
  for (const path of paths) {
    const access = command.access("digest", resolve(path));
    try {
      const request = { verb: "digest", path: resolve(path), algorithm, fresh: false } as const;
      const result = await digest(command.session, request, command.ended);
      access.end("ok");
      await print(`${sumLine(result.digest, path)}\n`);
    } catch (error) {
      access.end(outcomeOf(error));
      const { message } = explain(error, { op: "digest", path });
      await command.complain(`${path}: ${message}`);
      failed = true;
    }
  }
  return failed ? 1 : 0;
}

async function digestOfInput({ bytes, ended }: CommandContext, algorithm: string): Promise<string> {
  const hash = createHash(algorithm);
  while (await bytes.need(1)) hash.update(bytes.takeSome(1024 * 1024));
  if (ended.aborted) throw gone();
  return hash.digest("hex");
}
