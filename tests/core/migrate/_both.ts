/** A data directory, and storage that many machines share, on real engines. */
import assert from "node:assert/strict";
import type { Migrated, MigrateProblem } from "../../../core/migrate/report.ts";
import { toShared } from "../../../core/migrate/to_shared.ts";
import { prepareData } from "../../../core/serve/data.ts";
import { type SharedOptions, SharedStorage } from "../../../core/shared/storage.ts";
import { SharedSetup } from "../../contract/store/_shared.ts";
import { Setup } from "../_setup.ts";

/** The address in markers. */
export const address = "postgres://db:5432/files and https://box/bytes/";
const key = new Uint8Array(32).fill(1);
const process = new URL("./_process.ts", import.meta.url).pathname;

/** A data directory, and storage that many machines share. */
export class Both implements AsyncDisposable {
  readonly setup = new Setup();
  readonly engines: SharedSetup;
  readonly shared: SharedStorage;
  readonly #copies: string[] = [];

  private constructor(engines: SharedSetup) {
    this.engines = engines;
    this.shared = new SharedStorage(this.options, () => 9);
  }

  get options(): SharedOptions {
    const { postgres, bucket } = this.engines;
    return { postgres, bucket, key };
  }

  static async make(): Promise<Both> {
    return new Both(await SharedSetup.make());
  }

  /** Runs a pass. @returns its result */
  async pass(final: boolean, problems: MigrateProblem[] = []): Promise<Migrated> {
    const onProblem = (problem: MigrateProblem) => void problems.push(problem);
    return await toShared(this.setup.data, this.shared, { final, address, onProblem });
  }

  /** Migrates in another process, which kills itself. @param step as `sent/2`: when it is reached the second time */
  async killed(direction: "to" | "from", data: string, step: string): Promise<void> {
    const options = JSON.stringify({ ...this.options, key: [...key] });
    const { code, signal, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-check",
        "--allow-all",
        process,
        direction,
        data,
        step,
        options,
      ],
      stdin: "null",
    }).output();
    assert.equal(signal, "SIGKILL", `${step}: ${code} ${new TextDecoder().decode(stderr)}`);
  }

  /** Makes an empty directory. */
  empty(): string {
    const data = prepareData(Deno.makeTempDirSync({ prefix: "barge-copy-" }));
    this.#copies.push(data);
    return data;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const copy of this.#copies) Deno.removeSync(copy, { recursive: true });
    this.setup[Symbol.dispose]();
    await this.shared[Symbol.asyncDispose]();
    await this.engines[Symbol.asyncDispose]();
  }
}
