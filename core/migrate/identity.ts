/** The certificate and the SSH host keys that barge has made, by which clients recognize a server. */
import { createFolder } from "../disk/atomic_folder.ts";
import { typed } from "../error.ts";
import { certificateName, hostKeysName } from "../shared/identity.ts";
import type { Secrets } from "../shared/database/secrets.ts";

/** Copies the certificate and the keys from a data directory to the secrets of nodes. */
export async function sendIdentity(data: string, secrets: Secrets): Promise<void> {
  const tls = await readFolder(`${data}/tls`);
  const [cert, key] = [tls["cert.pem"], tls["key.pem"]];
  if (cert && key) await secrets.get(certificateName, () => JSON.stringify({ cert, key }));
  const ssh = await readFolder(`${data}/ssh`);
  if (Object.keys(ssh).length > 0) await secrets.get(hostKeysName, () => JSON.stringify(ssh));
}

/** Copies the certificate and the keys from the secrets of nodes to a data directory. */
export async function receiveIdentity(secrets: Secrets, data: string): Promise<void> {
  const tls = await secrets.find(certificateName);
  if (tls !== undefined) {
    const { cert, key } = JSON.parse(tls);
    await createFolder(`${data}/tls`, { "cert.pem": cert, "key.pem": key });
  }
  const ssh = await secrets.find(hostKeysName);
  if (ssh !== undefined) await createFolder(`${data}/ssh`, JSON.parse(ssh));
}

/** Returns the texts of the files in a folder by their names; none where it is missing. */
async function readFolder(path: string): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  try {
    for await (const { name } of Deno.readDir(path)) {
      texts[name] = await Deno.readTextFile(`${path}/${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw typed(error, { op: "read", path });
  }
  return texts;
}
