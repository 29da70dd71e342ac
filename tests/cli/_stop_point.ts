/** Kills servers of the tests' own worker at a named point of a change. */
import type { Server } from "../_server.ts";
import { Peer } from "../core/door/_peer.ts";

/** The file that names the point, in a folder that workers may read. */
const stopFile = "removed/stop-point";

/** The fault that a server must be started with. */
export const stopFault = `stop=${stopFile}`;

/** A server on a data directory, and a token of an account. */
export interface Target {
  readonly data: string;
  readonly token: string;
  readonly server: Server;
}

/** Makes a request, during which the server stops at the point, and kills the server there. */
export async function killAtPoint(
  { data, token, server }: Target,
  point: string,
  request: (peer: Peer) => Promise<void>,
): Promise<void> {
  using peer = await Peer.open(server.address, token);
  Deno.writeTextFileSync(`${data}/${stopFile}`, point);
  await request(peer);
  await server.said(`reached ${point}\n`);
  await server.kill("SIGKILL");
  Deno.removeSync(`${data}/${stopFile}`);
  await peer.gone(); // the server has sent no answer
}
