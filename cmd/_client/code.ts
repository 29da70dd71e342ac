/** Codes of the second factor: from a file, from BARGE_CODE, or from a prompt. Each logs in once. */
import { formatRemote, type Remote } from "../../core/client/remote.ts";
import { BargeError } from "../../core/error.ts";
import { value, type ValuesOf } from "../_term/command.ts";
import { path } from "../_term/value.ts";
import { readSecretLine } from "./password.ts";
import { tlsOptionOf } from "./security.ts";

/** The option of a verb that logs in. */
export const codeOptions = {
  codeFile: value(
    path("FILE"),
    "Read the code of the second factor from a file, one line; or set BARGE_CODE",
  ),
};

export type CodeSources = ValuesOf<typeof codeOptions>;

/** The ways to give a code, as a hint. */
export const codeWays = "use --code-file or BARGE_CODE for the code, or a token in place of the " +
  "password: `barge login` saves one";

/** Returns the code of a file or of BARGE_CODE; undefined where neither is given. */
export async function givenCode({ codeFile }: Partial<CodeSources>): Promise<string | undefined> {
  if (codeFile !== undefined) return await readSecretLine(codeFile, "code");
  return Deno.env.get("BARGE_CODE") || undefined;
}

/** Prompts for a code. @returns undefined without a terminal */
export async function askCode(account: string, signal: AbortSignal): Promise<string | undefined> {
  const { askText, canAsk } = await import("../_term/prompt.ts");
  if (!canAsk()) return undefined;
  return await askText(`Code of ${account}'s authenticator app, or a recovery code`, signal);
}

/**
 * Puts the address of the server, and the option for TLS, into the hint of a login that needs a second factor first:
 * the server knows only the account. Without `--server` the command would use the server of another login, since the
 * refused one is not saved.
 */
export function withFactorHint(error: BargeError, remote: Remote): BargeError {
  const { kind, hint } = error;
  const command = /`barge totp enable[^`]*`/;
  if (kind !== "denied" || !hint || !command.test(hint)) return error;
  const full = `\`barge totp enable --server ${formatRemote(remote)}${tlsOptionOf(remote)}\``;
  return error.replacing({ hint: hint.replace(command, () => full) });
}

/** The codes for the connections of one verb. */
export class Codes {
  readonly #sources: Partial<CodeSources>;
  readonly #signal: AbortSignal;
  #code: string | undefined;
  #state: "unread" | "given" | "asked" | "used" = "unread";

  constructor(sources: Partial<CodeSources>, signal: AbortSignal) {
    this.#sources = sources;
    this.#signal = signal;
  }

  /**
   * Returns the code for the next login; undefined where none is given: the server may ask for one.
   *
   * @throws {BargeError} `usage` where the given code has logged in already
   */
  async next(): Promise<string | undefined> {
    if (this.#state === "used") {
      throw new BargeError("usage", "a code logs in once, and another connection is needed", {
        hint: "log in with `barge login` first: its token serves for all connections",
      });
    }
    if (this.#state === "unread") {
      this.#code = await givenCode(this.#sources);
      this.#state = "given";
    }
    return this.#code;
  }

  /** Notes that the last code has logged in. */
  markUsed(): void {
    if (this.#code === undefined) return;
    if (this.#state === "given") this.#state = "used";
    this.#code = undefined; // another one is asked for
  }

  /** Prompts for the next code. @returns false without a terminal */
  async ask(account: string): Promise<boolean> {
    this.#code = await askCode(account, this.#signal);
    this.#state = "asked";
    return this.#code !== undefined;
  }
}
