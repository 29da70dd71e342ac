/** Logging in at each door that is no HTTP, by a client that a test holds in its hands. */
import assert from "node:assert/strict";
import { Wire } from "./ftp/_client.ts";
import { Peer } from "./_peer.ts";
import { ssh } from "./sftp/_peer.ts";

/** Logs in and out. @returns whether that worked */
export type Enter = (address: string, name: string, secret: string) => Promise<boolean>;

export const portOf = (address: string) => Number(address.split(":").at(-1));

/** Logs in by USER and PASS. */
export async function ftp(wire: Wire, name: string, secret: string): Promise<boolean> {
  assert.match(await wire.line() ?? "", /^220/);
  await wire.send(`USER ${name}\r\n`);
  assert.match(await wire.line() ?? "", /^331/);
  await wire.send(`PASS ${secret}\r\n`);
  return /^230/.test(await wire.line() ?? "");
}

/** By the door's name. */
export const doors: Record<"native" | "ftp" | "ftps" | "sftp", Enter> = {
  async native(address, name, secret) {
    using peer = await Peer.open(address);
    return (await peer.prove(name, secret)).ok === true;
  },
  async ftp(address, name, secret) {
    using wire = await Wire.open(portOf(address));
    return await ftp(wire, name, secret);
  },
  async ftps(address, name, secret) {
    using wire = await Wire.open(portOf(address));
    await wire.secure();
    return await ftp(wire, name, secret);
  },
  async sftp(address, name, secret) {
    try {
      const client = await ssh(address, { username: name, password: secret });
      client.end();
      return true;
    } catch {
      return false;
    }
  },
};
