/** Checks that other users can't read the operator's files of secrets, and that the server can. */
import { resolve } from "node:path";
import { typed } from "../error.ts";
import { audienceOf, formatAudience, formatMode, isReachable } from "./file_mode.ts";
import type { Verdict } from "./finding.ts";
import { barrierOf, serverUser, type User } from "./server_user.ts";
import type { LocalSetup, SecretFile, Setup } from "./setup.ts";

/** Returns a verdict for each file of secrets that an option names, and for those that the server can't read. */
export function checkSecretFiles(setup: Setup | LocalSetup): Verdict[] {
  const user = Deno.uid() === 0 ? serverUser(setup) : undefined;
  return setup.secretFiles.map((file) => user && refusal(user, file) || verdictOf(file));
}

/** Returns the verdict on a file that the user of the server can't read; undefined if it can. */
function refusal(user: User, { option, path }: SecretFile): Verdict | undefined {
  let barrier: string | undefined;
  try {
    barrier = barrierOf(user, path);
  } catch {
    return undefined; // root can't read the file either
  }
  if (barrier === undefined) return undefined;
  const message =
    `The server's user, ${user.name}, can't read the file of ${option}: the mode or ` +
    `the owner of ${barrier} does not admit it.`;
  const advice = barrier === resolve(path)
    ? `Run chown ${user.name} ${path}, or chgrp and chmod g+r for a group of that user.`
    : `Move the file to a folder that ${user.name} can enter.`;
  return { severity: "bad", message, advice, path };
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
