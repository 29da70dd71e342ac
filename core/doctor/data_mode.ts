/** Checks that other users can't read the data directory, its database and its keys. */
import { basename } from "node:path";
import { acmeFolder, acmeSecrets } from "../local/vault/acme_files.ts";
import { adminPasswordFile } from "../local/account/admin_password.ts";
import { databaseFile } from "../local/database/database.ts";
import { ownFiles } from "../net/own_certificate.ts";
import { audienceOf, formatAudience, formatMode } from "../disk/file_mode.ts";
import type { Verdict } from "./finding.ts";
import type { LocalSetup } from "./setup.ts";

/** Returns a verdict for the directory, and one for each file of secrets in it that others may read. */
export function checkDataMode({ data }: LocalSetup): Verdict[] {
  const { mode } = Deno.statSync(data);
  if (mode === null) return [];
  const audience = audienceOf(mode);
  const verdicts: Verdict[] = secretsIn(data).flatMap((path) => secretVerdict(path, audience));
  if (audience === "nobody") {
    const message = "Only its owner can open the data directory.";
    return [...verdicts, { severity: "ok", message, path: data }];
  }
  const message = `The mode of the data directory, ${formatMode(mode)}, admits ` +
    `${formatAudience(audience)}.`;
  const severity = audience === "others" ? "bad" : "warn";
  return [{ severity, message, advice: `Run chmod 700 ${data}.`, path: data }, ...verdicts];
}

/** Returns the existing files that hold secrets: the database, its copies, and private keys. */
function secretsIn(data: string): string[] {
  const isSecret = (name: string) => name.startsWith(databaseFile) || name === adminPasswordFile;
  const top = names(data).filter(isSecret).map((name) => `${data}/${name}`);
  const hostKeys = names(`${data}/ssh`).filter((name) => !name.endsWith(".pub"))
    .map((name) => `${data}/ssh/${name}`);
  const key = ownFiles(data).key;
  const tls = names(`${data}/tls`).includes(basename(key)) ? [key] : [];
  const acme = names(`${data}/${acmeFolder}`).filter((name) =>
    acmeSecrets.some((record) => name === record || name === `${record}.new`)
  ).map((name) => `${data}/${acmeFolder}/${name}`);
  return [...top, ...hostKeys, ...tls, ...acme].sort();
}

/** A readable secret in a closed folder is out of reach until the folder is copied or opened. */
function secretVerdict(path: string, folder: ReturnType<typeof audienceOf>): Verdict[] {
  const { mode } = Deno.statSync(path);
  const audience = audienceOf(mode);
  if (audience === "nobody") return [];
  const message = `The mode of a file with secrets, ${formatMode(mode)}, admits ` +
    `${formatAudience(audience)}.`;
  const severity = audience === "others" && folder === "others" ? "bad" : "warn";
  return [{ severity, message, advice: `Run chmod 600 ${path}.`, path }];
}

function names(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
