/** `barge totp enable`: makes the password need a code of an authenticator app. */
import type { Client } from "../../core/client/client.ts";
import { login } from "../../core/client/login.ts";
import { enableTotp } from "../../core/client/totp.ts";
import { BargeError } from "../../core/error.ts";
import { givenCode } from "../_client/code.ts";
import { readSecretLine } from "../_client/password.ts";
import { type Factor, printCodes, totpCommand } from "../_client/totp.ts";
import { value } from "../_term/command.ts";
import { report } from "../_term/fail.ts";
import { note } from "../_term/out.ts";
import { path } from "../_term/value.ts";

/** The most attempts to type the code of a new secret. */
const maxAttempts = 3;

export default totpCommand({
  options: {
    secretFile: value(
      path("FILE"),
      "Take the secret from a file, in base32, one line. Default: a new one, which is shown",
    ),
  },
  about: `Enables a second factor (TOTP, RFC 6238): logins with your password then need a code of an
    authenticator app, at every door. Where a protocol can't ask for one (FTP, WebDAV, HTTP Basic),
    use a token; SFTP asks by keyboard-interactive. Tokens and SSH keys need no code.

    Shows a secret as a QR code and as text, and asks for the code that the app then shows. Nothing
    changes before that code is right. Then it prints recovery codes, each of which logs in once in
    place of a code. All logins with the password end; tokens and SSH keys stay.

    A script gives the secret by --secret-file, and its code by --code-file or BARGE_CODE.`,
  examples: [
    ["barge totp enable", "scan the QR code, type the code, keep the recovery codes"],
    [
      "BARGE_CODE=$(oathtool -b --totp @s) barge totp enable --secret-file s --password-file pw",
      "the same in a script",
    ],
  ],
  async run(values, factor, { signal }) {
    const { secretFile, json } = values;
    const { account, password, host, at } = factor;
    const { askText, canAsk } = await import("../_term/prompt.ts");
    const enable = (secret: string, code: string) =>
      at((client) => enableTotp(client, { account, password, secret, code }));
    if (secretFile !== undefined) {
      const secret = (await readSecretLine(secretFile, "secret")).trim().toUpperCase();
      const code = await givenCode(values) ??
        (canAsk() ? await askText("Code of this secret", signal) : undefined);
      if (code === undefined) throw noTerminal("use --code-file or BARGE_CODE for its code");
      return printCodes(json, account, await enable(secret, code));
    }
    if (!canAsk()) throw noTerminal("use --secret-file, and --code-file or BARGE_CODE");
    await at((client) => checkPassword(client, factor)); // before the secret is shown
    const { newSecret, otpauthUrl } = await import("../../core/protocol/totp.ts");
    const { renderUnicodeCompact } = await import("uqr");
    const secret = newSecret();
    const url = otpauthUrl({ secret, account, issuer: host });
    for (const line of renderUnicodeCompact(url, { border: 2 }).split("\n")) note(line);
    note(url);
    for (let attempt = 1;; attempt++) {
      const code = await askText("Code that the authenticator app shows now", signal);
      try {
        return printCodes(json, account, await enable(secret, code));
      } catch (error) {
        const wrong = error instanceof BargeError && error.kind === "usage";
        if (!wrong || attempt === maxAttempts) throw error;
        report(error, { debug: false });
      }
    }
  },
});

/** Checks the password, and that the account has no second factor. @throws {BargeError} */
async function checkPassword(client: Client, { account, password }: Factor): Promise<void> {
  try {
    await login(client, { account, password });
  } catch (error) {
    if (!(error instanceof BargeError) || error.kind === "denied") return; // it must enable one first
    if (error.kind !== "code-needed") throw error;
    throw new BargeError("exists", "the account has a second factor already", {
      hint: "disable it first: `barge totp disable`",
    });
  }
}

function noTerminal(hint: string): BargeError {
  return new BargeError("usage", "there is no terminal to show a secret and ask for its code", {
    hint,
  });
}
