/** Checks that other users can't read the operator's files of secrets, and that the server can. */
import { typed } from "../error.ts";
import { audienceOf, formatAudience, formatMode, isReachable } from "../disk/file_mode.ts";
import type { Verdict } from "./finding.ts";
import { unreadable } from "./readable.ts";
import type { LocalSetup, SecretFile, Setup } from "./setup.ts";

/** Returns a verdict for each file of secrets that an option names. */
export function checkSecretFiles(setup: Setup | LocalSetup): Verdict[] {
  return setup.secretFiles.map((file) =>
    unreadable(setup, `the file of ${file.option}`, file.path) ?? verdictOf(file)
  );
}

function verdictOf({ option, path }: SecretFile): Verdict {
  let mode: number | null;
  try {
    using file = Deno.openSync(path);
    mode = file.statSync().mode;
  } catch (error) {
    const message = `The file of ${option} can't be read: ${typed(error).message}.`;
    const advice = "Correct the option, or give the server's user the right to read the file.";
    return { severity: "bad", message, advice, path };
  }
  const audience = audienceOf(mode);
  if (audience === "nobody") {
    return { severity: "ok", message: `Only its owner can read the file of ${option}.`, path };
  }
  const message = `The mode of the file of ${option}, ${formatMode(mode)}, admits ` +
    `${formatAudience(audience)}.`;
  // Systems give services certificates' keys by a group, such as ssl-cert.
  if (audience === "group") return { severity: "note", message, path };
  // In a closed folder, no other user has read it yet.
  return isReachable(path)
    ? { severity: "bad", message, advice: `Run chmod o= ${path}, and renew the secret.`, path }
    : { severity: "warn", message, advice: `Run chmod o= ${path}.`, path };
}
