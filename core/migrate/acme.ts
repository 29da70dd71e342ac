/**
 * Copies the records of certificates by ACME: the account at the authority, the certificate and the state of its
 * renewal. An order under way is left out: the next server orders again.
 */
import type { AcmeRecord, AcmeStore } from "../storage/acme.ts";

const names: readonly AcmeRecord[] = ["account", "certificate", "renewal"];

/** Makes these records of a storage equal to those of another one. @throws {BargeError} as the two do */
export async function copyAcme(from: AcmeStore, to: AcmeStore): Promise<void> {
  for (const name of names) {
    const text = await from.read(name);
    await (text === undefined ? to.remove(name) : to.write(name, text));
  }
}
